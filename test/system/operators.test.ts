import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Browser } from 'playwright-core'
import { signIn } from '../support/api.ts'
import { addDevice, runPulso, withBox, withFolder } from '../support/box.ts'
import { launchBrowser, openPage } from '../support/browser.ts'
import { connectDevice } from '../support/mqtt.ts'
import { skipWithout } from '../support/programs.ts'

describe('the operators’ page', { skip: skipWithout('chromium') }, () => {
  let browser: Browser
  before(async () => {
    browser = await launchBrowser()
  })
  after(() => browser.close())

  it('opens with the password of the first start, and shows sensors, journal, rate and the quarantine with reasons', async () => {
    await withBox({}, async (box) => {
      assert.ok(box.operator)
      const secret = await addDevice(box, [
        'lamp-1',
        '--kind',
        'lighting',
        '--lat',
        '43.4623',
        '--lon',
        '-3.81',
      ])
      await addDevice(box, ['lamp-2', '--kind', 'lighting'])
      const client = await connectDevice(box, secret)
      await client.publishAsync(
        'pulso/lighting/lamp-1/telemetry',
        '{"powerState":"on","batteryLevel":0.12}',
        { qos: 1 },
      )
      await client.publishAsync('pulso/lighting/lamp-1/telemetry', '{"illuminanceLevel":<b>80</b>}', {
        qos: 1,
      })

      const { page, assertClean } = await openPage(browser, `${box.http}/ops`)
      await page.getByTestId('ops-password').fill(box.operator.password)
      await page.keyboard.press('Enter')
      const reporting = page.getByTestId('ops-sensor-row-lamp-1')
      await reporting.filter({ hasText: '12' }).waitFor()
      await page.getByTestId('ops-sensor-row-lamp-2').filter({ hasText: 'Never heard' }).waitFor()
      assert.match((await page.getByTestId('ops-journal-depth').textContent()) ?? '', /^\s*\d/)
      assert.match((await page.getByTestId('ops-ingest-rate').textContent()) ?? '', /\d/)

      await page
        .getByRole('link', { name: /^Quarantine/ })
        .first()
        .click()
      await page.getByTestId('ops-quarantine-reason-invalid-json').waitFor()
      const entry = page.locator('[data-testid^=ops-quarantine-row-]').first()
      assert.match((await entry.textContent()) ?? '', /lamp-1/)
      // A payload is a stranger's text: it is shown, never run.
      assert.equal(await page.locator('b', { hasText: /^80$/ }).count(), 0)
      assertClean()
      client.end(true)
    })
  })
})

describe('operators', () => {
  it('get in with their password alone', async () => {
    await withBox({}, async (box) => {
      assert.ok(box.operator)
      for (const path of ['overview', 'sensors', 'quarantine']) {
        const response = await fetch(new URL(`/api/v1/ops/${path}`, box.http))
        assert.equal(response.status, 401, path)
        assert.match(response.headers.get('content-type') ?? '', /application\/problem\+json/)
      }
      const wrong = await fetch(new URL('/api/v1/session', box.http), {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin: box.http },
        body: JSON.stringify({ name: box.operator.username, password: `${box.operator.password}x` }),
      })
      assert.equal(wrong.status, 401)
      await (await signIn(box)).overview()
    })
  })

  it('get a new password while the box runs, and the old sessions end', async () => {
    await withBox({}, async (box) => {
      const before = await signIn(box)
      await before.overview()
      const { code, stdout } = await runPulso(['operator', 'reset', 'operator', '--json'], box)
      assert.equal(code, 0)
      await assert.rejects(before.overview(), /401/)
      const secret = JSON.parse(stdout) as { username: string; password: string }
      await (await signIn({ ...box, operator: secret })).overview()
    })
  })

  it('are not added twice nor given a password when there is none of that name', async () => {
    await withFolder(async (dataDir) => {
      assert.equal((await runPulso(['operator', 'add', 'ana'], { dataDir })).code, 0)
      const twice = await runPulso(['operator', 'add', 'ana'], { dataDir })
      assert.equal(twice.code, 2)
      assert.match(twice.stderr, /already/)
      assert.equal((await runPulso(['operator', 'reset', 'nobody'], { dataDir })).code, 2)
      assert.equal((await runPulso(['operator', 'remove', 'ana'], { dataDir })).code, 0)
      assert.equal((await runPulso(['operator', 'remove', 'ana'], { dataDir })).code, 2)
    })
  })
})
