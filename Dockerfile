# Debian 13 has OpenSSL 3.5 LTS, whose RSA-3072 and RSA-4096 are two to three times as fast as Debian 12's (see
# docs/DEPENDENCIES.md).
FROM rust:1.95-trixie AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked --package signet-server --bin signet

FROM debian:trixie-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libssl3t64 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home signet
COPY --from=build /src/target/release/signet /usr/local/bin/signet
USER signet
EXPOSE 8080
ENTRYPOINT ["signet"]
CMD ["serve"]
