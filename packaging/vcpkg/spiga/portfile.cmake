# A port of the tree that it lies in: vcpkg install spiga --overlay-ports=packaging/vcpkg
get_filename_component(SOURCE_PATH ${CURRENT_PORT_DIR}/../../.. ABSOLUTE)

vcpkg_check_features(OUT_FEATURE_OPTIONS features
  FEATURES
    dlib SPIGA_WITH_DLIB
    evaluate SPIGA_WITH_EVALUATE
    imgcodecs SPIGA_WITH_IMGCODECS
    import SPIGA_WITH_IMPORT
    serve SPIGA_WITH_SERVE
    video SPIGA_WITH_VIDEO
    yunet SPIGA_WITH_YUNET)
# vcpkg keeps programs in tools/ (vcpkg_copy_tools).
vcpkg_cmake_configure(SOURCE_PATH ${SOURCE_PATH}
  OPTIONS ${features} -DSPIGA_WITH_SHOW=OFF -DSPIGA_BUILD_TRAIN=OFF -DSPIGA_BUILD_PYTHON=OFF -DSPIGA_BUILD_TESTS=OFF
    -DSPIGA_BUILD_BENCH=OFF)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(CONFIG_PATH lib/cmake/spiga)
vcpkg_copy_tools(TOOL_NAMES spiga AUTO_CLEAN)
vcpkg_fixup_pkgconfig()
file(REMOVE_RECURSE ${CURRENT_PACKAGES_DIR}/debug/include ${CURRENT_PACKAGES_DIR}/debug/share ${CURRENT_PACKAGES_DIR}/lib/systemd
  ${CURRENT_PACKAGES_DIR}/debug/lib/systemd)
vcpkg_install_copyright(FILE_LIST ${SOURCE_PATH}/LICENSE ${SOURCE_PATH}/data/LICENSE.spiga-bsd3.txt
  ${SOURCE_PATH}/models/LICENSE.ict-facekit-mit.txt)
