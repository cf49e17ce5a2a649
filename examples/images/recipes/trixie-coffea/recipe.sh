# shellcheck shell=bash
# A facility that follows coffea's releases; containers start as an ordinary user.
build() {
  python_image trixie 3.13
  config --config.user analyst --config.workingdir /home/analyst
}
