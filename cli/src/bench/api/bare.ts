/**
 * What there is to compare with: a Fastify route that returns a fixed body, and nothing else. Told the body's size as a
 * line of JSON, it answers with its port.
 */
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import Fastify from 'fastify'

const [first] = (await once(createInterface({ input: process.stdin }), 'line')) as [string]
const { bytes } = JSON.parse(first) as { bytes: number }
const body = Buffer.from(JSON.stringify({ text: 'x'.repeat(Math.max(0, bytes - 11)) }))
const app = Fastify()
app.get('/', (_request, reply) => reply.type('application/json; charset=utf-8').send(body))
const address = await app.listen({ host: '127.0.0.1', port: 0 })
process.stdout.write(`${JSON.stringify({ port: Number(new URL(address).port) })}\n`)
process.once('SIGINT', () => process.exit(0))
