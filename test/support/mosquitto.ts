import type { TestContext } from 'node:test'
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt'
import { createMosquittoServer, type MosquittoServer } from './mosquitto-server.ts'
import { waitFor } from './wait.ts'

export interface Mosquitto extends MosquittoServer {
  url: string
  publisher(options?: IClientOptions): Promise<MqttClient>
}

/** A real Mosquitto on a free port, with its data in the folder, started, and ended with the test. */
export async function startMosquitto(
  context: TestContext,
  { folder, config }: { folder: string; config?: readonly string[] },
): Promise<Mosquitto> {
  const server = await createMosquittoServer(folder, config)
  const { port } = server
  const publishers: MqttClient[] = []
  context.after(async () => {
    for (const publisher of publishers) await publisher.endAsync(true)
    await server.kill()
  })
  await server.start()
  return {
    ...server,
    url: `mqtt://127.0.0.1:${port}`,
    async publisher(options) {
      const client = mqtt.connect({ host: '127.0.0.1', port, reconnectPeriod: 20, ...options })
      publishers.push(client)
      client.on('error', () => undefined)
      await waitFor(() => client.connected, { what: 'the publisher to connect', everyMs: 5 })
      return client
    },
  }
}
