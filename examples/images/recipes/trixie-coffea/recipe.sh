# shellcheck shell=bash
# A facility that follows coffea's releases. Containers start as an ordinary user, whose layer
# replaces files of the one below.
build() {
  python_image trixie 3.13
  step "user" in_root useradd --create-home --uid 1000 analyst
  layer "user" ./etc/passwd ./etc/group ./etc/shadow ./etc/gshadow ./home
  config --config.user analyst --config.workingdir /home/analyst
}
