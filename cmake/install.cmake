# What `cmake --install` puts where, by components: library (with the default models), development, spiga (the
# program), spiga_train (the trainer), python. cmake/packages.cmake makes Debian packages of them.
include(CMakePackageConfigHelpers)
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/spiga)

install(TARGETS spiga_shared EXPORT spiga
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library NAMELINK_COMPONENT development)
install(FILES models/default.safetensors models/MODEL_CARD.md models/detector.safetensors models/DETECTOR_CARD.md models/head.safetensors models/LICENSE.ict-facekit-mit.txt DESTINATION ${CMAKE_INSTALL_DATADIR}/spiga/models
  COMPONENT library)

install(DIRECTORY include/spiga DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development FILES_MATCHING PATTERN *.h)
install(EXPORT spiga NAMESPACE spiga:: FILE spiga-targets.cmake DESTINATION ${package} COMPONENT development)
configure_package_config_file(cmake/spiga-config.cmake.in ${CMAKE_BINARY_DIR}/cmake/spiga-config.cmake
  INSTALL_DESTINATION ${package} PATH_VARS CMAKE_INSTALL_DATADIR)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/cmake/spiga-config-version.cmake
  COMPATIBILITY ${SPIGA_COMPATIBILITY})
install(FILES ${CMAKE_BINARY_DIR}/cmake/spiga-config.cmake ${CMAKE_BINARY_DIR}/cmake/spiga-config-version.cmake
  DESTINATION ${package} COMPONENT development)
file(RELATIVE_PATH prefix_from_pc /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
configure_file(cmake/spiga.pc.in ${CMAKE_BINARY_DIR}/cmake/spiga.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/cmake/spiga.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)

install(FILES packaging/spiga.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT spiga)
install(FILES packaging/spiga.bash-completion DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
  RENAME spiga COMPONENT spiga)
# Debian's folder of units, wherever the rest goes below the prefix.
install(FILES packaging/spiga.service DESTINATION lib/systemd/system COMPONENT spiga)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT library)

include(cmake/packages.cmake)
