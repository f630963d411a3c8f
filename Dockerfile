# The bridge, and strongSwan for who wants both in one container: docs/install.md, "Containers".
#     docker build --tag xfrm-bridge .
FROM debian:trixie-slim AS package
WORKDIR /source
COPY . .
# A package that ./package has left is taken as it is: it has a cache for the JVM, which cannot be made in here.
RUN set -e; \
    if ! ls target/package/*.deb 2>/dev/null; then \
        apt-get update -qq; \
        DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
            openjdk-25-jdk-headless maven gcc libc6-dev linux-libc-dev musl-tools git debhelper asciidoctor unzip; \
        ./package -Dspotless.check.skip=true; \
    fi; \
    mv target/package/*.deb /xfrm-bridge.deb

FROM debian:trixie-slim
COPY --from=package /xfrm-bridge.deb /
RUN apt-get update -qq && \
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends /xfrm-bridge.deb \
        tini iproute2 iputils-ping charon-systemd strongswan-swanctl libstrongswan-standard-plugins && \
    rm -rf /xfrm-bridge.deb /var/lib/apt/lists/*
COPY packaging/container/strongswan.conf /etc/strongswan.d/xfrm-bridge.conf
COPY packaging/container/entry-point packaging/container/keep-bridge /usr/lib/xfrm-bridge/
ENV XFRM_BRIDGE_DIR=/run/xfrm-bridge
VOLUME /run/xfrm-bridge
HEALTHCHECK --interval=5s --timeout=10s --start-period=30s CMD ["xfrm-bridge", "status"]
# Signals are for all that the command has started; what it leaves is reaped.
ENTRYPOINT ["tini", "-s", "-g", "--", "/usr/lib/xfrm-bridge/entry-point"]
