FROM debian:12-slim
ARG PLATFORM=linux-x64
RUN apt-get update \
  && apt-get install -y --no-install-recommends bsdutils ca-certificates git python3 screen tar tini util-linux \
  && rm -rf /var/lib/apt/lists/*
COPY dist/${PLATFORM}/nexus-server dist/${PLATFORM}/nx /usr/local/bin/
ENV NS_SERVER_DIR=/var/lib/nexus-server
VOLUME /var/lib/nexus-server
EXPOSE 54323
ENTRYPOINT ["tini", "-s", "--", "nexus-server"]
