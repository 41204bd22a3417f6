#!/usr/bin/env bash
# Makes an authority, a certificate for the gateway and one for a client, with openssl alone: for
# trying TLS, and for networks that have no authority of their own. What others than you are to
# trust comes from a public one (see renew.sh).
#
#   make-certificates.sh DIR HOST [CLIENT [USER]]
#
#   DIR/clients-ca.pem                   the authority: `client_ca`, and what clients trust
#   DIR/clients-ca-key.pem               its key: keep it off the gateway's machine
#   DIR/server.pem, DIR/server-key.pem   `certificate` and `key`, for HOST (and localhost)
#   DIR/client.pem, DIR/client-key.pem   what a client shows; CLIENT is its URI (uri) and its name
#
# HOST is a name or an IP address. USER is who the gateway runs as, and gets server-key.pem; each
# key is for its owner alone. Run again it makes new certificates of the authority that is there,
# with its key put back for as long, the files exchanged whole.
set -euo pipefail
usage="usage: make-certificates.sh DIR HOST [CLIENT [USER]]"
dir=${1:?$usage} host=${2:?$usage} client=${3:-spiffe://example.com/agents/one} user=${4:-}
days_of_authority=3650 days=90
authority=$dir/clients-ca.pem authority_key=$dir/clients-ca-key.pem

# Who trusts the authority that is there does not trust another one.
if [ -e "$authority" ] && [ ! -e "$authority_key" ]; then
  echo "make-certificates.sh: $authority is there without its key: put $authority_key back, or" \
    "move the authority away: a new one is made, which whoever trusts the old one does not trust yet" >&2
  exit 1
fi
if [ -e "$authority_key" ] && [ ! -e "$authority" ]; then
  echo "make-certificates.sh: $authority_key is there without its authority: put $authority back," \
    "or move the key away: a new authority is made" >&2
  exit 1
fi

(umask 022 && mkdir -p "$dir")  # the gateway reads what is in it
umask 077
work=$(mktemp -d "$dir/.new-XXXXXX")
trap 'rm -rf "$work"' EXIT

new_key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>/dev/null; }

if [ ! -e "$authority" ]; then
  new_key "$work/clients-ca-key.pem"
  openssl req -x509 -new -sha256 -days $days_of_authority -key "$work/clients-ca-key.pem" \
    -subj "/CN=Switchyard authority" -out "$work/clients-ca.pem" \
    -addext "basicConstraints=critical,CA:TRUE,pathlen:0" \
    -addext "keyUsage=critical,keyCertSign,cRLSign"
  mv "$work/clients-ca-key.pem" "$work/clients-ca.pem" "$dir/"
fi

# sign NAME SUBJECT USE ALTERNATIVES [OWNER]: DIR/NAME.pem and DIR/NAME-key.pem, of the authority.
sign() {
  new_key "$work/$1-key.pem"
  openssl req -new -sha256 -key "$work/$1-key.pem" -subj "$2" -out "$work/$1.csr"
  printf '%s\n' "basicConstraints=critical,CA:FALSE" "keyUsage=critical,digitalSignature" \
    "extendedKeyUsage=$3" "subjectAltName=$4" >"$work/$1.ext"
  openssl x509 -req -sha256 -days $days -in "$work/$1.csr" -extfile "$work/$1.ext" \
    -CA "$authority" -CAkey "$authority_key" -CAcreateserial \
    -CAserial "$work/serial" -out "$work/$1.pem" 2>/dev/null
  [ -z "${5:-}" ] || chown "$5" "$work/$1-key.pem"
  chmod 644 "$work/$1.pem"
  # The key first: a gateway that looks in between refuses the pair and keeps the one it has.
  mv "$work/$1-key.pem" "$work/$1.pem" "$dir/"
}

kind=DNS
if [[ $host == *:* || $host =~ ^[0-9]+(\.[0-9]+){3}$ ]]; then kind=IP; fi
sign server "/CN=$host" serverAuth "$kind:$host,DNS:localhost,IP:127.0.0.1" "$user"
sign client "/CN=$(basename "$client")" clientAuth "URI:$client"
chmod 644 "$authority"
