#!/usr/bin/env bash
# deploy/tls/nginx.conf as it stands, in an nginx of its own: at sockets in place of its ports, with
# certificates of deploy/tls/make-certificates.sh and another server in the gateway's place. What
# clients may reach comes through, over HTTP/2, and nothing else does.
#
#   nginx.sh [NGINX]    ends with `N passed, N failed`
set -uo pipefail
nginx=${1:-nginx}
deploy=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../deploy/tls" && pwd)
home=$(mktemp -d) || exit 1
running=
trap '[ -z "$running" ] || { kill "$running"; wait "$running"; } 2>/dev/null; rm -rf "$home"' EXIT
passed=0 failed=0

# is WHAT GOT WANTED
is() {
  if [ "$2" = "$3" ]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "$1: $2, not $3"
  fi
}

"$deploy/make-certificates.sh" "$home" mcp.example.com
sed -e "s#listen 443 #listen unix:$home/front #" \
  -e "s#server 127.0.0.1:8080;#server unix:$home/gateway;#" \
  -e "s#/etc/letsencrypt/live/mcp.example.com/fullchain.pem#$home/server.pem#" \
  -e "s#/etc/letsencrypt/live/mcp.example.com/privkey.pem#$home/server-key.pem#" \
  "$deploy/nginx.conf" >"$home/site.conf"
{
  # A worker of another user could not reach the sockets.
  [ "$(id -u)" != 0 ] || echo "user root;"
  echo "daemon off; pid $home/pid; error_log stderr; events {} http { access_log off;"
  for kind in client_body proxy fastcgi scgi uwsgi; do echo "${kind}_temp_path $home/$kind;"; done
  echo "include $home/site.conf;"
  # shellcheck disable=SC2016  # nginx's own variables
  echo "server { listen unix:$home/gateway;" \
    'location / { add_header Got "$request_method $request_uri of $http_host"; return 204; } } }'
} >"$home/nginx.conf"

"$nginx" -t -q -e stderr -c "$home/nginx.conf"
is "nginx -t" $? 0
"$nginx" -e stderr -c "$home/nginx.conf" &
running=$!
until [ -S "$home/front" ] && [ -S "$home/gateway" ]; do
  kill -0 $running 2>/dev/null || { is "nginx" "gone" "there"; break; }
done

# ask PATH: what the server behind it got of it; or the status.
ask() {
  curl -sS --max-time 30 --unix-socket "$home/front" --cacert "$home/clients-ca.pem" \
    -o "$home/body" -w '%header{got} %{http_code} HTTP/%{http_version}' \
    "https://mcp.example.com$1"
}
for path in /mcp /mcp/support '/mcp?x=1' /.well-known/oauth-protected-resource/mcp /connect/a; do
  is "$path" "$(ask "$path")" "GET $path of mcp.example.com 204 HTTP/2"
done
for path in / /metrics /readyz /healthz /admin/approvals /mcpx /MCP /x/mcp /mcp/../metrics \
  /mcp/%2e%2e/admin/approvals; do
  is "$path" "$(ask "$path")" " 404 HTTP/2"
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
