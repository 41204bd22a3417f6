# docker build -t switchyard . && docker run -p 127.0.0.1:8080:8080 switchyard
# Your own configuration: -v "$PWD/my.yaml:/etc/switchyard/config.yaml:ro"; it has to listen on 0.0.0.0,
# and to have auth, or `auth: none` where the port is published to this machine alone, as above.
# State that outlives the container: `state: {dir: /var/lib/switchyard}`, and -v switchyard:/var/lib/switchyard.
# The stdio servers that it starts must be in the image: derive one from this for them.
FROM debian:12-slim AS build
WORKDIR /src
COPY deploy/lib.sh deploy/packages.txt deploy/
RUN bash -c 'source deploy/lib.sh && install_packages build'
COPY . .
RUN deploy/run.sh --build-only \
    && strip build/release/switchyard \
    && sed 's/^listen: 127\.0\.0\.1:\(.*\)/listen: 0.0.0.0:\1\nauth: none/' config/minimal.yaml > build/config.yaml

FROM debian:12-slim
COPY deploy/lib.sh deploy/packages.txt /tmp/deploy/
RUN bash -c 'source /tmp/deploy/lib.sh && install_packages runtime' \
    && rm -rf /tmp/deploy /var/lib/apt/lists/* \
    && useradd --system --no-create-home --shell /usr/sbin/nologin switchyard \
    && install -d -m 700 -o switchyard -g switchyard /var/lib/switchyard
COPY --from=build /src/build/release/switchyard /usr/local/bin/switchyard
COPY --from=build /src/build/config.yaml /etc/switchyard/config.yaml
USER switchyard
EXPOSE 8080
# SIGTERM drains: calls in flight finish, then the children are ended.
STOPSIGNAL SIGTERM
ENTRYPOINT ["switchyard"]
CMD ["serve", "--config", "/etc/switchyard/config.yaml"]
