#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# As root, installs what tests/debian-packages.txt names and this machine lacks;
# as anybody else, says what is missing. Starts no service, and is quick where
# everything is there already.
set -eu
PATH=$PATH:/usr/sbin:/sbin
list=$(dirname "$0")/debian-packages.txt

missing=
while read -r command package without; do
    case $command in '' | '#'*) continue ;; esac
    command -v "$command" >/dev/null 2>&1 && continue
    missing="$missing $(echo "$package" | tr , " ")"
    echo "missing: $command (Debian: $package), for $without"
done <"$list"

[ -n "$missing" ] || exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "What is missing is skipped by name. As root it would be installed."
    exit 0
fi

# Debian starts a service as soon as it is installed. policy-rc.d is its own way
# to say no; one that is already there is left as it is.
policy=/usr/sbin/policy-rc.d
made_policy=
words=$(mktemp)
trap 'rm -f "$words" $made_policy' EXIT
if [ ! -e "$policy" ]; then
    made_policy=$policy
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi

export DEBIAN_FRONTEND=noninteractive
echo "postfix postfix/main_mailer_type select No configuration" |
    debconf-set-selections 2>/dev/null || true
echo "installing:$missing"
# shellcheck disable=SC2086  # one word per package
if ! { apt-get update -qq && apt-get install -y -qq --no-install-recommends \
    -o DPkg::Lock::Timeout=300 $missing; } >"$words" 2>&1; then
    cat "$words"
    exit 1
fi
