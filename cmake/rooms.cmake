# spiga_room(NAME SOURCES ... DEPENDS rooms... LIBRARIES imported targets...)
# One folder in src/ is one room is one static library, spiga_NAME. Sources are named relative to the folder.
function(spiga_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;DEPENDS;LIBRARIES" ${ARGN})
  add_library(spiga_${name} STATIC ${ROOM_SOURCES})
  target_include_directories(spiga_${name} PUBLIC ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
  list(TRANSFORM ROOM_DEPENDS PREPEND spiga_)
  target_link_libraries(spiga_${name} PUBLIC ${ROOM_DEPENDS} ${ROOM_LIBRARIES})
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

# spiga_test(ROOM SOURCES ... LIBRARIES ...): one test program per room, tests/ROOM/*_test.cc.
# Runs in the project's root, so that tests find models/, samples/ and, where it exists, ../shared.
function(spiga_test room)
  cmake_parse_arguments(TEST "" "" "SOURCES;LIBRARIES;ENVIRONMENT" ${ARGN})
  add_executable(${room}_test ${TEST_SOURCES})
  target_link_libraries(${room}_test PRIVATE ${TEST_LIBRARIES} GTest::gtest GTest::gmock GTest::gtest_main)
  target_include_directories(${room}_test PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  spiga_compile_options(${room}_test)
  gtest_discover_tests(${room}_test TEST_PREFIX ${room}. WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
    NO_PRETTY_VALUES DISCOVERY_TIMEOUT 120 PROPERTIES TIMEOUT 600 ENVIRONMENT "OMP_NUM_THREADS=2;${TEST_ENVIRONMENT}")
endfunction()
