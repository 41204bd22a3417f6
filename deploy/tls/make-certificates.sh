#!/usr/bin/env bash
# Makes an authority, a certificate for the gateway and one for a client, with openssl alone: for
# trying TLS, and for networks that have no authority of their own. What others than you are to
# trust comes from a public one (see renew.sh).
#
#   make-certificates.sh DIR HOST [CLIENT]
#
#   DIR/clients-ca.pem                   the authority: `client_ca`, and what clients trust
#   DIR/clients-ca-key.pem               its key: keep it off the gateway's machine
#   DIR/server.pem, DIR/server-key.pem   `certificate` and `key`, for HOST (and localhost)
#   DIR/client.pem, DIR/client-key.pem   what a client shows; CLIENT is its URI (uri) and its name
#
# Run again it makes new certificates of the authority that is there, the files exchanged whole.
set -euo pipefail
usage="usage: make-certificates.sh DIR HOST [CLIENT]"
dir=${1:?$usage} host=${2:?$usage} client=${3:-spiffe://example.com/agents/one}
days_of_authority=3650 days=90
umask 077
mkdir -p "$dir"
work=$(mktemp -d "$dir/.new-XXXXXX")
trap 'rm -rf "$work"' EXIT

new_key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>/dev/null; }

if [ ! -e "$dir/clients-ca-key.pem" ]; then
  new_key "$work/clients-ca-key.pem"
  openssl req -x509 -new -sha256 -days $days_of_authority -key "$work/clients-ca-key.pem" \
    -subj "/CN=Switchyard authority" -out "$work/clients-ca.pem" \
    -addext "basicConstraints=critical,CA:TRUE,pathlen:0" \
    -addext "keyUsage=critical,keyCertSign,cRLSign"
  mv "$work/clients-ca-key.pem" "$work/clients-ca.pem" "$dir/"
fi

# sign NAME SUBJECT USE ALTERNATIVES: DIR/NAME.pem and DIR/NAME-key.pem, of the authority.
sign() {
  new_key "$work/$1-key.pem"
  openssl req -new -sha256 -key "$work/$1-key.pem" -subj "$2" -out "$work/$1.csr"
  printf '%s\n' "basicConstraints=critical,CA:FALSE" "keyUsage=critical,digitalSignature" \
    "extendedKeyUsage=$3" "subjectAltName=$4" >"$work/$1.ext"
  openssl x509 -req -sha256 -days $days -in "$work/$1.csr" -extfile "$work/$1.ext" \
    -CA "$dir/clients-ca.pem" -CAkey "$dir/clients-ca-key.pem" -CAcreateserial \
    -CAserial "$work/serial" -out "$work/$1.pem" 2>/dev/null
  # The key first: a gateway that looks in between refuses the pair and keeps the one it has.
  mv "$work/$1-key.pem" "$work/$1.pem" "$dir/"
}

sign server "/CN=$host" serverAuth "DNS:$host,DNS:localhost,IP:127.0.0.1"
sign client "/CN=$(basename "$client")" clientAuth "URI:$client"
chmod 644 "$dir/clients-ca.pem" "$dir/server.pem" "$dir/client.pem"
