import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import type { JournalWriter } from '@pulso/stores'
import { waitFor } from '../../test/support/wait.ts'
import type { BrokerLimits } from '../src/index.ts'
import { connectPacket, pingPacket, publishPacket, type Device } from './support/device.ts'
import { openDoor, SECRET, type Door } from './support/door.ts'

const TOPIC = 'pulso/parking/bay/telemetry'
const LAMP = 'pulso/lighting/lamp/telemetry'

/** A broker whose journal takes nothing until `release` is called, as a full one does. */
async function openHeld(
  context: TestContext,
  limits: Partial<BrokerLimits>,
): Promise<Door & { release: () => void; asked: () => number }> {
  const room = Promise.withResolvers<undefined>()
  let asked = 0
  const wrapJournal = (journal: JournalWriter): JournalWriter => ({
    ...journal,
    async append(message) {
      asked++
      await room.promise
      await journal.append(message)
    },
  })
  const door = await openDoor(context, { limits, wrapJournal })
  const release = (): void => room.resolve(undefined)
  door.closing(release)
  return { ...door, release, asked: () => asked }
}

async function connected(door: Door, username: string): Promise<Device> {
  const device = await door.device()
  device.send(connectPacket({ username, password: SECRET, clientId: username }))
  assert.deepEqual([...(await device.next('connack'))], [0, 0])
  return device
}

describe('while the journal takes nothing', () => {
  test('a sender that is not read is neither ended nor left to believe that nobody is there', async (context) => {
    const door = await openHeld(context, { connectionInFlightBytes: 1, keepaliveMs: 400 })
    const device = await connected(door, 'bay')
    device.send(publishPacket({ topic: TOPIC, id: 1 }))
    await waitFor(() => door.asked() === 1, { what: 'the first message to reach the journal' })
    device.send(publishPacket({ topic: TOPIC, id: 2 }))
    for (let answers = 0; answers < 2; answers++) await device.next('pingresp')
    assert.equal(device.isClosed(), false)
    assert.deepEqual([door.asked(), device.pending('puback')], [1, 0])

    door.release()
    assert.deepEqual([...(await device.next('puback'))], [0, 1])
    assert.deepEqual([...(await device.next('puback'))], [0, 2])
    await door.kept(2)
  })

  test('a sender that has left is forgotten, though nothing of it is read', async (context) => {
    const door = await openHeld(context, { connectionInFlightBytes: 1, keepaliveMs: 400 })
    const device = await connected(door, 'bay')
    device.send(publishPacket({ topic: TOPIC, id: 1 }))
    await waitFor(() => door.asked() === 1, { what: 'the message to reach the journal' })
    device.send(publishPacket({ topic: TOPIC, id: 2 }))
    device.close()
    await waitFor(() => door.broker.connections() === 0, { what: 'the connection to be closed' })
  })

  test('those with little in flight are heard, while those with much are not', async (context) => {
    const door = await openHeld(context, { inFlightBytes: 20_000, connections: 10 })
    const [greedy, modest] = [await connected(door, 'bay'), await connected(door, 'lamp')]
    greedy.send(...Array.from({ length: 25 }, (_, n) => publishPacket({ topic: TOPIC, id: n + 1 })))
    await waitFor(() => door.asked() === 25, { what: 'the messages to reach the journal' })
    greedy.send(pingPacket())

    modest.send(publishPacket({ topic: LAMP, id: 1 }))
    modest.send(pingPacket())
    await modest.next('pingresp')
    await waitFor(() => door.asked() === 26, { what: 'the modest one’s message to reach the journal' })
    assert.equal(greedy.pending('pingresp'), 0)

    door.release()
    await greedy.next('pingresp')
    await modest.next('puback')
    await door.kept(26)
  })
})

test('ends a client that was silent for one and a half of its keep-alive', async (context) => {
  const door = await openDoor(context, { limits: { keepaliveMs: 400 } })
  const [silent, alive] = [await connected(door, 'bay'), await connected(door, 'lamp')]
  const pinging = setInterval(() => alive.send(pingPacket()), 100)
  door.closing(() => clearInterval(pinging))
  await silent.closed()
  assert.equal(await door.count('pulso_connections_ended_total{reason="silent"}'), 1)
  assert.equal(alive.isClosed(), false)
})
