# Homebrew formula of a clone, which HOMEBREW_SPIGA_SOURCE names (a folder, or an address that git knows):
#   brew tap-new local/spiga && cp packaging/homebrew/spiga.rb "$(brew --repository local/spiga)/Formula/"
#   HOMEBREW_SPIGA_SOURCE=$PWD brew install --HEAD local/spiga/spiga
# docs/install.md says what has been tried of it.
class Spiga < Formula
  desc "Facial landmarks and head pose of every face in a picture"
  homepage "https://arxiv.org/abs/2210.07233"
  license "BSD-3-Clause"
  head ENV.fetch("HOMEBREW_SPIGA_SOURCE", "."), using: :git, branch: "main"

  depends_on "cli11" => :build
  depends_on "cmake" => :build
  depends_on "eigen" => :build
  depends_on "ninja" => :build
  depends_on "nlohmann-json" => :build
  depends_on "jpeg-turbo"
  depends_on "libpng"
  depends_on :linux
  depends_on "onednn" # 2.x: 3 has another interface
  depends_on "opencv"
  depends_on "webp"

  def install
    off = %w[BUILD_TRAIN BUILD_PYTHON BUILD_TESTS BUILD_BENCH WITH_DLIB WITH_YUNET WITH_SHOW WITH_IMPORT WITH_SERVE]
    system "cmake", "-S", ".", "-B", "build", "-G", "Ninja", *off.map { |name| "-DSPIGA_#{name}=OFF" }, *std_cmake_args
    system "cmake", "--build", "build"
    %w[library development spiga].each { |name| system "cmake", "--install", "build", "--component", name }
    pkgshare.install "samples/astronaut.jpg"
  end

  test do
    assert_match '"landmarks"', shell_output("#{bin}/spiga analyze #{pkgshare}/astronaut.jpg")
  end
end
