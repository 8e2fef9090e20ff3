import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { AppError } from '@pulso/model'
import { lockFolder } from '../src/box/lock.ts'
import { connectControl, serveControl, type ControlServer } from '../src/control.ts'

const methods = {
  add: (a: number, b: number): number => a + b,
  refuse: (): never => {
    throw new AppError('refused', 'Not like this', { status: 409 })
  },
}

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pulso-control-'))
})
after(() => rm(folder, { recursive: true, force: true }))

describe('the control socket', () => {
  let server: ControlServer
  before(async () => {
    // What a killed box leaves behind must not be in the way.
    await writeFile(join(folder, 'control.sock'), '')
    server = await serveControl(folder, methods)
  })
  after(() => server.stop())

  it('carries calls, results and errors with their code', async () => {
    const box = await connectControl<typeof methods>(folder)
    assert.ok(box)
    assert.equal(await box.add(2, 3), 5)
    await assert.rejects(box.refuse(), { code: 'refused', message: 'Not like this', status: 409 })
  })

  it('is for its owner alone, and knows no method that was not given', async () => {
    assert.equal((await stat(join(folder, 'control.sock'))).mode & 0o077, 0)
    const box = await connectControl<{ hasOwnProperty(name: string): boolean }>(folder)
    await assert.rejects(async () => box?.hasOwnProperty('add'), { code: 'unknown-method' })
  })

  it('survives nonsense and callers that leave', async () => {
    for (const line of ['nonsense\n', '{}\n', '{"method":1}\n', 'no end']) {
      const socket = createConnection(join(folder, 'control.sock'))
      await new Promise((resolve) => socket.end(line, () => resolve(undefined)))
      await new Promise((resolve) => socket.resume().once('close', resolve))
    }
    assert.equal(await (await connectControl<typeof methods>(folder))?.add(1, 1), 2)
  })

  it('that cannot be made is an error in words', async () => {
    const taken = join(folder, 'taken')
    await mkdir(join(taken, 'control.sock'), { recursive: true })
    await assert.rejects(serveControl(taken, methods), { code: 'cannot-listen', message: /control\.sock/ })
  })

  it('says when no box runs', async () => {
    assert.equal(await connectControl(join(folder, 'nothing')), undefined)
  })
})

describe('the data folder', () => {
  it('belongs to one box at a time, and is free again after it', () => {
    const lock = lockFolder(folder)
    assert.throws(() => lockFolder(folder), { code: 'data-folder-in-use' })
    lock.release()
    lockFolder(folder).release()
  })

  it('that cannot be made is an error in words', async () => {
    const file = join(folder, 'file')
    await writeFile(file, '')
    assert.throws(() => lockFolder(join(file, 'data')), { code: 'data-folder-unusable' })
  })

  it('that cannot be written to, or whose lock is damaged, is not said to be in use', async () => {
    const unwritable = join(folder, 'unwritable')
    await mkdir(join(unwritable, 'box.pid'), { recursive: true })
    assert.throws(() => lockFolder(unwritable), { code: 'data-folder-unusable', message: /box\.pid/ })

    const damaged = join(folder, 'damaged')
    await mkdir(damaged)
    await writeFile(join(damaged, 'box.lock'), 'x'.repeat(4_096))
    assert.throws(() => lockFolder(damaged), { code: 'data-folder-unusable', message: /box\.lock/ })
  })
})
