# LibTorch as the target spiga_libtorch: as CMake finds it, or, where SPIGA_TORCH names the folder of PyTorch's
# Python package (.../site-packages/torch), the one in there. The package's own CMake files want the CUDA
# toolkit, which linking does not need.
set(SPIGA_TORCH "" CACHE PATH "Folder of PyTorch's Python package to build the trainer with; empty: find_package")

add_library(spiga_libtorch INTERFACE)
if(SPIGA_TORCH)
  if(NOT EXISTS ${SPIGA_TORCH}/lib/libtorch_cpu.so)
    message(FATAL_ERROR "SPIGA_TORCH: expected PyTorch's Python package, found no ${SPIGA_TORCH}/lib/libtorch_cpu.so")
  endif()
  set(SPIGA_TORCH_INCLUDE_DIRS ${SPIGA_TORCH}/include ${SPIGA_TORCH}/include/torch/csrc/api/include)
  foreach(library torch_cpu torch_cuda torch c10 c10_cuda)
    set(path ${SPIGA_TORCH}/lib/lib${library}.so)
    if(EXISTS ${path})
      target_link_libraries(spiga_libtorch INTERFACE ${path})
    endif()
  endforeach()
  # The CUDA libraries register themselves; nobody calls them by name. What they need in turn they find themselves.
  target_link_options(spiga_libtorch INTERFACE LINKER:--no-as-needed LINKER:--allow-shlib-undefined)
else()
  set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL ON)  # src/cli links what src/train finds
  find_package(Torch REQUIRED)
  set(SPIGA_TORCH_INCLUDE_DIRS ${TORCH_INCLUDE_DIRS})
  target_link_libraries(spiga_libtorch INTERFACE torch)
endif()
# LibTorch's own headers are not held to our warnings.
target_include_directories(spiga_libtorch SYSTEM INTERFACE ${SPIGA_TORCH_INCLUDE_DIRS})

# c10d's groups need headers that not every LibTorch comes with.
find_path(SPIGA_GLOO_INCLUDE gloo/algorithm.h HINTS ${SPIGA_TORCH_INCLUDE_DIRS})
mark_as_advanced(SPIGA_GLOO_INCLUDE)
option(SPIGA_NCCL "Data-parallel training on GPUs (needs the headers of NCCL and CUDA)" OFF)
