#!/usr/bin/env bash
# Takes a renewed certificate over for a gateway: the hook of an ACME client.
#
#   certbot renew --deploy-hook 'deploy/tls/renew.sh /etc/switchyard/tls switchyard'
#
#   renew.sh TARGET [USER]    from $RENEWED_LINEAGE (fullchain.pem, privkey.pem), which certbot sets
#
# Nothing is to be restarted and no connection ends: the gateway reads the files anew when they
# change, and shows the new certificate from the next connection on. A pair that does not fit is
# refused whole and the one before it stays; the gateway's log says why.
set -euo pipefail
target=${1:?usage: renew.sh TARGET [USER]} user=${2:-}
from=${RENEWED_LINEAGE:?is not set: the folder with fullchain.pem and privkey.pem}

# Before anything is replaced: the key must be that of the certificate.
of_certificate=$(openssl x509 -in "$from/fullchain.pem" -noout -pubkey)
of_key=$(openssl pkey -in "$from/privkey.pem" -pubout)
if [ "$of_certificate" != "$of_key" ]; then
  echo "renew.sh: $from/privkey.pem is not the key of fullchain.pem: nothing was replaced" >&2
  exit 1
fi

# put FILE NAME MODE: whole or not at all.
put() {
  local new=$target/.$2.new
  install -m "$3" ${user:+-o "$user"} "$from/$1" "$new"
  mv "$new" "$target/$2"
}
put privkey.pem server-key.pem 600
put fullchain.pem server.pem 644
