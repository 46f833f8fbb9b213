# The image that make dist makes, for who builds with a container engine:
#
#   docker build -t chartserve .
FROM --platform=$BUILDPLATFORM golang:1.26 AS build
ARG TARGETARCH
WORKDIR /src
COPY . .
RUN make dist PLATFORMS="linux/$TARGETARCH" PARTS='binaries image' OUT=/dist \
 && mkdir /image && tar -xf "/dist/build/linux_$TARGETARCH/root.tar" -C /image \
 && mv /image/data /data

FROM scratch
COPY --from=build /image/ /
COPY --from=build --chown=65532:65532 /data/ /data/
USER 65532:65532
ENV PATH=/usr/bin \
    CHARTSERVE_ADDRESS=:8879 \
    CHARTSERVE_REPO_PATH=/data \
    CHARTSERVE_SOURCE=/charts
EXPOSE 8879/tcp
VOLUME /data
WORKDIR /
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=10s --retries=3 CMD ["/usr/bin/chartserve", "health"]
ENTRYPOINT ["/usr/bin/chartserve"]
