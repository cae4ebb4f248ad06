# docker build -t gridactor . && docker run -v gridactor:/data -p 127.0.0.1:7400:7400 gridactor
FROM node:24-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN npm run build && npm prune --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:24-bookworm-slim
WORKDIR /opt/gridactor
COPY --from=build /build/package.json /build/LICENSE /build/README.md /build/gridactor.yaml /build/asyncapi.yaml ./
COPY --from=build /build/dist dist
COPY --from=build /build/schemas schemas
COPY --from=build /build/node_modules node_modules
RUN ln -s /opt/gridactor/dist/main.js /usr/local/bin/gridactor && mkdir -p /data && chown node:node /data
USER node
WORKDIR /data
VOLUME /data
ENV GRIDACTOR_STATE=/data/state
EXPOSE 7400
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["gridactor", "progress", "--quiet"]
ENTRYPOINT ["gridactor"]
CMD ["run"]
