# syntax=docker/dockerfile:1

# The city in a box as an image: Node runs the TypeScript as it is; only the web app is built.

FROM node:26-bookworm-slim AS build
WORKDIR /pulso
COPY package.json package-lock.json .npmrc ./
COPY model/package.json model/
COPY stores/package.json stores/
COPY broker/package.json broker/
COPY ingest/package.json ingest/
COPY api/package.json api/
COPY web/package.json web/
COPY simulators/package.json simulators/
COPY cli/package.json cli/
COPY test/package.json test/
# The bin of the cli workspace is linked at install, so its file has to be there.
COPY cli/src/pulso.ts cli/src/
RUN npm ci
COPY model model
COPY web web
RUN npm run build

FROM build AS production-dependencies
RUN npm prune --omit=dev

FROM node:26-bookworm-slim
ENV NODE_ENV=production \
    PULSO_DATA_DIR=/data \
    PULSO_HTTP_HOST=0.0.0.0 \
    PULSO_MQTT_HOST=0.0.0.0
WORKDIR /pulso
COPY --from=production-dependencies /pulso/node_modules node_modules
COPY --from=build /pulso/web/dist web/dist
COPY package.json ./
COPY model model
COPY stores stores
COPY broker broker
COPY ingest ingest
COPY api api
COPY simulators simulators
COPY cli cli
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 8080 1883
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "--eval", "fetch(`http://127.0.0.1:${process.env.PULSO_HTTP_PORT ?? 8080}/health/ready`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "cli/src/pulso.ts"]
CMD ["start"]
