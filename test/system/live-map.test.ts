import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Browser } from 'playwright-core'
import { addDevice, startBox, withBox, withFolder, type RunningBox, type Secret } from '../support/box.ts'
import { launchBrowser, openPage } from '../support/browser.ts'
import { connectDevice } from '../support/mqtt.ts'
import { skipWithout } from '../support/programs.ts'
import { READINGS_DRIVERS, skipDriver, withReadings } from '../support/readings-drivers.ts'

/** What can go wrong with the drawing, done to the page before its own code runs. */
const DRAWING_FAULTS = {
  'there is no WebGL': 'HTMLCanvasElement.prototype.getContext = () => null',
  'workers cannot be started': 'window.Worker = class { constructor() { throw new Error("refused") } }',
}

describe('the city’s page', { skip: skipWithout('chromium') }, () => {
  let browser: Browser
  before(async () => {
    browser = await launchBrowser()
  })
  after(() => browser.close())

  for (const [fault, before] of Object.entries(DRAWING_FAULTS)) {
    it(`says so and goes on with the list when ${fault}`, async () => {
      await withBox({}, async (box) => {
        const secret = await addBay(box)
        const { page } = await openPage(browser, `${box.http}/?kind=parking`, { before })
        await page.getByTestId('map-note').waitFor()
        await publishStatus(box, secret, 'free')
        await page
          .getByTestId('zone-row-centro')
          .getByTestId('figure-free')
          .filter({ hasText: /^1$/ })
          .waitFor()
        await page.getByTestId('zone-row-centro').click()
        await page.getByTestId('sensor-row-bay-1').click()
        await page.getByTestId('sensor-card').filter({ hasText: 'Free' }).waitFor()
      })
    })
  }

  for (const driver of READINGS_DRIVERS) {
    it(
      `comes back by itself when the box was killed, with ${driver}`,
      { skip: skipDriver(driver) },
      async () => {
        await withReadings(driver, (env) =>
          withFolder(async (dataDir) => {
            const first = await startBox({ dataDir, env })
            const secret = await addBay(first)
            await publishStatus(first, secret, 'occupied')
            const { page } = await openPage(browser, `${first.http}/?kind=parking`)
            const free = page.getByTestId('zone-row-centro').getByTestId('figure-free')
            await free.filter({ hasText: /^0$/ }).waitFor()
            await page.locator('[data-testid=connection][data-status=live]').waitFor()

            await first.stop('SIGKILL')
            await page.locator('[data-testid=connection]:not([data-status=live])').waitFor()
            assert.equal(await free.textContent(), '0', 'the last known value stays, with its age')

            const ports = {
              PULSO_HTTP_PORT: new URL(first.http).port,
              PULSO_MQTT_PORT: String(first.mqtt.port),
            }
            const second = await startBox({ dataDir, env: { ...env, ...ports } })
            try {
              await publishStatus(second, secret, 'free')
              await free.filter({ hasText: /^1$/ }).waitFor()
              await page.locator('[data-testid=connection][data-status=live]').waitFor()
            } finally {
              await second.stop()
            }
          }),
        )
      },
    )
  }
})

function addBay(box: RunningBox): Promise<Secret> {
  return addDevice(box, ['bay-1', '--kind', 'parking', '--lat', '43.4623', '--lon', '-3.81'])
}

async function publishStatus(box: RunningBox, secret: Secret, status: string): Promise<void> {
  const client = await connectDevice(box, secret)
  await client.publishAsync('pulso/parking/bay-1/telemetry', JSON.stringify({ status }), { qos: 1 })
  await client.endAsync()
}
