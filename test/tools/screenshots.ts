/**
 * Takes the README's pictures of a real box with the virtual city in it: `npm run screenshots`. Look at them before they
 * are committed.
 */
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Browser } from 'playwright-core'
import { readMetric } from '../support/api.ts'
import { ROOT, withBox, type RunningBox } from '../support/box.ts'
import { DESKTOP, launchBrowser, openPage, PHONE } from '../support/browser.ts'
import { connectDevice } from '../support/mqtt.ts'
import { waitFor } from '../support/wait.ts'

interface Shot {
  file: string
  path: string
  viewport: { width: number; height: number }
  colorScheme?: 'light' | 'dark'
}

const SHOTS: readonly Shot[] = [
  { file: 'desktop.png', path: '/?kind=parking', viewport: DESKTOP },
  { file: 'desktop-dark.png', path: '/?kind=environment', viewport: DESKTOP, colorScheme: 'dark' },
  { file: 'phone-map.png', path: '/?kind=parking', viewport: PHONE },
  { file: 'phone-zone.png', path: '/?kind=parking&zone=sardinero', viewport: PHONE, colorScheme: 'dark' },
  { file: 'phone-card.png', path: '/?kind=environment&sensor=demo-e-0002', viewport: PHONE },
]

/** Badges settle and charts are fetched after the map has drawn. */
const SETTLE_MS = 2_500

await withBox({ args: ['--demo'], env: { PULSO_LOG_LEVEL: 'warn' } }, async (box) => {
  await waitFor(async () => (await readMetric(box, 'pulso_readings_stored_total')) > 80_000, {
    what: 'the virtual city to fill in its past',
    timeoutMs: 120_000,
    everyMs: 500,
  })
  await sendMistakes(box)
  const browser = await launchBrowser()
  try {
    for (const shot of SHOTS) await takeCityShot(browser, box, shot)
    await takeOperatorsShot(browser, box)
  } finally {
    await browser.close()
  }
})

/** What a newcomer's first tries may look like, for the quarantine's picture. */
async function sendMistakes(box: RunningBox): Promise<void> {
  const { firstReading } = box
  if (!firstReading) return
  const client = await connectDevice(box, firstReading)
  for (const payload of ['{"status":"vacant"}', '{"status":', '{"status":"free","batteryLevel":85}']) {
    await client.publishAsync(firstReading.topic, payload, { qos: 1 })
  }
  await client.endAsync()
}

async function takeCityShot(
  browser: Browser,
  box: RunningBox,
  { file, path, ...options }: Shot,
): Promise<void> {
  const { page, assertClean } = await openPage(browser, `${box.http}${path}`, options)
  await page.locator('html[data-map-ready=true]').waitFor({ state: 'attached' })
  await delay(SETTLE_MS)
  await page.screenshot({ path: join(ROOT, 'docs/images', file) })
  assertClean()
  await page.context().close()
}

async function takeOperatorsShot(browser: Browser, box: RunningBox): Promise<void> {
  const { page, assertClean } = await openPage(browser, `${box.http}/ops`, {
    viewport: DESKTOP,
    colorScheme: 'dark',
  })
  await page.getByTestId('ops-password').fill(box.operator?.password ?? '')
  await page.keyboard.press('Enter')
  await page.locator('[data-testid^=ops-sensor-row-]').first().waitFor()
  // The sparklines collect while the page is open.
  await delay(SETTLE_MS * 8)
  await page.screenshot({ path: join(ROOT, 'docs/images', 'operators.png') })
  assertClean()
  await page.context().close()
}
