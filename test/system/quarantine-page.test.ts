import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { getSensor, readMetric, waitForValues } from '../support/api.ts'
import { addDevice, withBox } from '../support/box.ts'
import { launchBrowser, openPage } from '../support/browser.ts'
import { connectDevice } from '../support/mqtt.ts'
import { skipWithout } from '../support/programs.ts'

const LOT = 'pulso/carpark/garage-1/telemetry'

describe('the quarantine on the operators’ page', { skip: skipWithout('chromium') }, () => {
  it('is replayed and deleted by keyboard, after a question, and says what came of it', async () => {
    await withBox({}, async (box) => {
      const client = await connectDevice(box, await addDevice(box, ['garage-1', '--kind', 'carpark']))
      const publish = (payload: string) => client.publishAsync(LOT, payload, { qos: 1 })
      await publish('{"totalSpotNumber":140}')
      await publish('{"availableSpotNumber":150}')
      await publish('{"availableSpotNumber":999}')
      await publish('{"totalSpotNumber":300}')
      await waitForValues(box, 'garage-1', { totalSpotNumber: 300 })

      const browser = await launchBrowser()
      try {
        const { page, assertClean } = await openPage(browser, `${box.http}/ops#/quarantine`)
        await page.getByTestId('ops-password').fill(box.operator?.password ?? '')
        await page.keyboard.press('Enter')
        const mistake = page.locator('[data-testid^=ops-mistake-]')
        await mistake.filter({ hasText: '2×' }).waitFor()
        const confirm = page.getByTestId('ops-confirm')
        const result = page.getByTestId('ops-quarantine-work')

        const replay = mistake.getByRole('button', { name: /^Replay/ })
        await replay.press('Enter')
        await confirm.getByRole('heading', { name: 'Replay 2 entries?' }).waitFor()
        await page.keyboard.press('Escape')
        await confirm.waitFor({ state: 'detached' })
        assert.equal((await getSensor(box, 'garage-1')).properties.values.availableSpotNumber, undefined)
        // The focus is back where it was: Enter asks again.
        await page.keyboard.press('Enter')
        await confirm.getByRole('button', { name: 'Replay' }).press('Enter')
        await result.filter({ hasText: '1 is still not right and came back' }).waitFor()
        await waitForValues(box, 'garage-1', { availableSpotNumber: 150 })
        await mistake.filter({ hasText: '1×' }).waitFor()

        await mistake.getByRole('button', { name: /^Delete/ }).press('Enter')
        await confirm.getByRole('button', { name: 'Delete' }).press('Enter')
        await page.getByRole('heading', { name: 'Nothing kept aside' }).waitFor()
        assert.match((await result.textContent()) ?? '', /1 entry deleted/)
        assert.equal(await readMetric(box, 'pulso_quarantine_entries'), 0)
        assertClean()
      } finally {
        await browser.close()
        client.end(true)
      }
    })
  })
})
