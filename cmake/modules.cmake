# spiga_module(NAME SOURCES ... DEPENDS modules... LIBRARIES imported targets...)
# One folder in src/ is one module is one static library, spiga_NAME. Sources are named relative to the folder.
function(spiga_module name)
  cmake_parse_arguments(MODULE "" "" "SOURCES;DEPENDS;LIBRARIES" ${ARGN})
  add_library(spiga_${name} STATIC ${MODULE_SOURCES})
  target_include_directories(spiga_${name} PUBLIC ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
  list(TRANSFORM MODULE_DEPENDS PREPEND spiga_)
  target_link_libraries(spiga_${name} PUBLIC ${MODULE_DEPENDS} ${MODULE_LIBRARIES})
  spiga_compile_options(spiga_${name})
endfunction()

# Warnings and sanitizers of our own targets.
function(spiga_compile_options target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion)
  if(SPIGA_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${SPIGA_SANITIZE} -fno-omit-frame-pointer)
    target_link_options(${target} PUBLIC -fsanitize=${SPIGA_SANITIZE})
  endif()
endfunction()

# spiga_test(MODULE SOURCES ... LIBRARIES ...): one test program per module, tests/MODULE/*_test.cc.
# Runs in the project's root, so that tests find models/, samples/ and, where it exists, ../shared.
function(spiga_test module)
  cmake_parse_arguments(TEST "" "" "SOURCES;LIBRARIES;ENVIRONMENT" ${ARGN})
  add_executable(${module}_test ${TEST_SOURCES})
  target_link_libraries(${module}_test PRIVATE ${TEST_LIBRARIES} GTest::gtest GTest::gmock GTest::gtest_main)
  target_include_directories(${module}_test PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  spiga_compile_options(${module}_test)
  gtest_discover_tests(${module}_test TEST_PREFIX ${module}. WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
    NO_PRETTY_VALUES DISCOVERY_TIMEOUT 120 PROPERTIES TIMEOUT 600 ENVIRONMENT "OMP_NUM_THREADS=2;${TEST_ENVIRONMENT}")
endfunction()
