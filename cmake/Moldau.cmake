# One library a folder, which links only what its layer may include, and one test program beside it.

add_library(moldau_options INTERFACE)
target_include_directories(moldau_options INTERFACE ${CMAKE_SOURCE_DIR})
# -Wno-restrict: g++ 12 warns wrongly about "text" + std::to_string(i).
# -Wno-missing-field-initializers: it also fires on designated initializers, which leave out what has
# a default on purpose.
target_compile_options(moldau_options INTERFACE -Wall -Wextra -Werror
                       $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
                       -Wno-missing-field-initializers
                       -fno-omit-frame-pointer)
target_link_options(moldau_options INTERFACE -fuse-ld=mold)

set(MOLDAU_SANITIZE "" CACHE STRING "address or thread: build everything with that sanitizer")
if(MOLDAU_SANITIZE)
    # g++ warns wrongly in instrumented code, as its manual says.
    add_compile_options(-Wno-maybe-uninitialized)
endif()
if(MOLDAU_SANITIZE STREQUAL "address")
    add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined -g1)
    add_link_options(-fsanitize=address,undefined)
elseif(MOLDAU_SANITIZE STREQUAL "thread")
    # -Wno-tsan: the sanitizer does not model atomic_thread_fence, which Boost.Asio mentions.
    add_compile_options(-fsanitize=thread -Wno-tsan -g1)
    add_link_options(-fsanitize=thread)
endif()

# moldau_library(storage SOURCES log.cc ... DEPS base io ...)
function(moldau_library name)
    cmake_parse_arguments(arg "" "" "SOURCES;DEPS" ${ARGN})
    add_library(moldau_${name} STATIC ${arg_SOURCES})
    target_link_libraries(moldau_${name} PUBLIC moldau_options)
    foreach(dep ${arg_DEPS})
        if(TARGET moldau_${dep})
            target_link_libraries(moldau_${name} PUBLIC moldau_${dep})
        else()
            target_link_libraries(moldau_${name} PUBLIC ${dep})
        endif()
    endforeach()
endfunction()

# moldau_test(storage_test SOURCES log_test.cc ... DEPS storage [LABELS unit|sim])
# A GoogleTest program, run as one ctest test.
function(moldau_test name)
    cmake_parse_arguments(arg "" "LABELS" "SOURCES;DEPS;ARGS" ${ARGN})
    if(NOT arg_LABELS)
        set(arg_LABELS unit)
    endif()
    add_executable(${name} ${arg_SOURCES})
    foreach(dep ${arg_DEPS})
        if(TARGET moldau_${dep})
            target_link_libraries(${name} PRIVATE moldau_${dep})
        else()
            target_link_libraries(${name} PRIVATE ${dep})
        endif()
    endforeach()
    target_link_libraries(${name} PRIVATE moldau_options GTest::gmock GTest::gtest_main)
    add_test(NAME ${name} COMMAND ${name} ${arg_ARGS})
    set_tests_properties(${name} PROPERTIES LABELS ${arg_LABELS} TIMEOUT 900)
endfunction()
