# Debian packages of the components: `cpack --config build/release/CPackConfig.cmake` (docs/library.md).
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME spiga)
# Who answers for the packages is who makes them: Debian's own variables say so, or SPIGA_PACKAGE_CONTACT. Without either
# cpack ends with a message (debian_files.cmake).
set(contact "")
if(DEFINED ENV{DEBEMAIL})
  if(DEFINED ENV{DEBFULLNAME})
    set(contact "$ENV{DEBFULLNAME} <$ENV{DEBEMAIL}>")
  else()
    set(contact "$ENV{DEBEMAIL}")
  endif()
endif()
set(SPIGA_PACKAGE_CONTACT "${contact}" CACHE STRING "Maintainer of the Debian packages: Name <address>")
set(CPACK_PACKAGE_CONTACT "${SPIGA_PACKAGE_CONTACT}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE gzip)  # the model is most of it, and hardly shrinks
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${CMAKE_BINARY_DIR}/lib)
set(CPACK_COMPONENTS_ALL library development spiga)
set(CPACK_SPIGA_SOURCE ${PROJECT_SOURCE_DIR})
set(CPACK_SPIGA_PACKAGES "")
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/cmake/debian_files.cmake)
# dpkg tells the loader of the new library.
file(WRITE ${CMAKE_BINARY_DIR}/cmake/triggers "activate-noawait ldconfig\n")
file(CHMOD ${CMAKE_BINARY_DIR}/cmake/triggers PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_CONTROL_EXTRA ${CMAKE_BINARY_DIR}/cmake/triggers)

set(exactly "(= ${PROJECT_VERSION})")
# spiga_package(COMPONENT NAME DEPENDS DESCRIPTION)
macro(spiga_package component name depends description)
  string(TOUPPER ${component} upper)
  set(CPACK_DEBIAN_${upper}_PACKAGE_NAME ${name})
  set(CPACK_DEBIAN_${upper}_PACKAGE_DEPENDS "${depends}")
  set(CPACK_COMPONENT_${upper}_DESCRIPTION "${description}")
  list(APPEND CPACK_SPIGA_PACKAGES ${component}=${name})
endmacro()
spiga_package(library libspiga${SPIGA_SOVERSION} "" "Shared library and default model.
 From pictures to faces, from boxes to landmarks with expected errors
 and head pose, from videos to steadied faces with ids. The default
 model is for non-commercial research only: see MODEL_CARD.md beside it.")
spiga_package(development libspiga-dev "libspiga${SPIGA_SOVERSION} ${exactly}" "Development files.
 Headers for C++ and C, CMake package and pkg-config file.")
spiga_package(spiga spiga "libspiga${SPIGA_SOVERSION} ${exactly}" "The program.
 Analyzes pictures and videos, scores predictions, turns checkpoints
 into model files and those into ONNX.")
if(TARGET spiga_train_program)
  list(APPEND CPACK_COMPONENTS_ALL spiga_train)
  spiga_package(spiga_train spiga-train "spiga ${exactly}" "The trainer.
 Trains networks and exports their checkpoints; needs LibTorch.")
endif()
if(TARGET spiga_python)
  list(APPEND CPACK_COMPONENTS_ALL python)
  string(REGEX MATCH "^([0-9]+)\\.([0-9]+)$" _ ${SPIGA_PYTHON_VERSION})
  math(EXPR next "${CMAKE_MATCH_2} + 1")
  set(next ${CMAKE_MATCH_1}.${next})
  spiga_package(python python3-spiga "libspiga${SPIGA_SOVERSION} ${exactly}, python3 (>= ${SPIGA_PYTHON_VERSION}), python3 (<< ${next}), python3-numpy"
    "Python module.
 Takes and gives NumPy arrays; works with OpenCV's and Pillow's pictures.")
endif()
include(CPack)
