# Thoth's image. Plain Dockerfile, no "# syntax=" line: BuildKit, Dagger and buildah all read it.
#
# RUNTIME_IMAGE must hold node at /nodejs/bin/node, as the distroless images do. It needs no shell.
ARG NODE_IMAGE=docker.io/library/node:24-alpine@sha256:d32cdf619f63fe0471182d08996dd516c6275bb5fd31ae06e55a570bd9e1ad43
ARG RUNTIME_IMAGE=gcr.io/distroless/nodejs24-debian13:nonroot@sha256:774b7d020b24214835769e24c3544835526cd0288f0b094eae48e8b2c2429a79

# JavaScript is the same on every architecture: it is bundled once, on the builder's own, and copied into
# each platform. The final stage runs nothing, so building arm64 on amd64 needs no emulation.
FROM --platform=$BUILDPLATFORM ${NODE_IMAGE} AS build
WORKDIR /src
COPY package.json package-lock.json ./
# Optional: a mirror of the npm registry. package-lock.json says what each package must hash to.
ARG NPM_CONFIG_REGISTRY
# The secret "extra_ca" is optional: a company proxy's certificate authority. It stays out of every layer.
RUN --mount=type=secret,id=extra_ca \
    NODE_EXTRA_CA_CERTS=/run/secrets/extra_ca npm ci --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error
COPY src/server src/server
# `thoth init compose` prints it.
COPY docker-compose.yml ./
ARG THOTH_VERSION=0.0.0-dev
ARG THOTH_REVISION=unknown
# The empty folder is copied too: the data volume takes its owner from it.
RUN THOTH_VERSION=$THOTH_VERSION THOTH_REVISION=$THOTH_REVISION node src/server/bundle.mjs /out && mkdir /out/data
# What scripts/install.sh takes out of the image: the same digest stands for the service and its scripts.
COPY docker-compose.yml .env.example /out/kit/
COPY scripts /out/kit/scripts
COPY deploy/compose /out/kit/deploy/compose
# Whatever the umask of the checkout was.
RUN chmod -R u=rwX,go=rX /out/kit

FROM ${RUNTIME_IMAGE}
WORKDIR /app
COPY --from=build --chown=65532:65532 /out/data /app/data
COPY --from=build /out/licenses.txt /out/thoth.cdx.json /app/
COPY --from=build /out/kit /app/kit
COPY --from=build /out/thoth /usr/local/bin/thoth
ENV NODE_ENV=production
# Else glibc keeps a pool of freed memory for each thread (docs/ARCHITECTURE.md, "The service").
ENV MALLOC_ARENA_MAX=2
USER 65532:65532
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=3s --start-period=60s --retries=3 \
    CMD ["/nodejs/bin/node", "/usr/local/bin/thoth", "healthcheck"]
# The heap flags halve the memory held under load (docs/ARCHITECTURE.md, "The service").
ENTRYPOINT ["/nodejs/bin/node", "--max-semi-space-size=2", "--max-old-space-size=96", "/usr/local/bin/thoth"]
CMD ["serve"]

ARG THOTH_VERSION=0.0.0-dev
ARG THOTH_REVISION=unknown
ARG THOTH_CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="Thoth" \
      org.opencontainers.image.description="Self-hosted gateway: one OpenAI-compatible API over OpenAI, Anthropic and Google." \
      org.opencontainers.image.url="https://hub.docker.com/r/marcopancotti/thoth" \
      org.opencontainers.image.source="https://github.com/marcopancotti/thoth" \
      org.opencontainers.image.documentation="https://github.com/marcopancotti/thoth/tree/main/docs" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${THOTH_VERSION}" \
      org.opencontainers.image.revision="${THOTH_REVISION}" \
      org.opencontainers.image.created="${THOTH_CREATED}"
