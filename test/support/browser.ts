import assert from 'node:assert/strict'
import { chromium, type Browser, type Page } from 'playwright-core'
import { findProgram } from './programs.ts'

/** Software rendering draws MapLibre without a graphics card; the rest keeps Chromium from calling home. */
const FLAGS = [
  '--no-sandbox',
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
]

export const PHONE = { width: 390, height: 844 }
export const DESKTOP = { width: 1440, height: 900 }

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: findProgram('chromium') ?? 'chromium', args: FLAGS })
}

export interface WatchedPage {
  page: Page
  /** Fails when a request failed, an answer was an error, or the page threw. */
  assertClean(): void
}

/** A page whose every failed request, error answer, console error and exception is remembered. */
export async function openPage(
  browser: Browser,
  url: string,
  options: {
    viewport?: { width: number; height: number }
    colorScheme?: 'light' | 'dark'
    locale?: string
    /** A script that runs in the page before its own. */
    before?: string
  } = {},
): Promise<WatchedPage> {
  const { before, ...contextOptions } = options
  const context = await browser.newContext({ viewport: DESKTOP, locale: 'en-GB', ...contextOptions })
  if (before !== undefined) await context.addInitScript({ content: before })
  const page = await context.newPage()
  const faults: string[] = []
  const { origin } = new URL(url)
  page.on('request', (request) => {
    const isOwn = request.url().startsWith(origin) || /^(blob|data):/.test(request.url())
    if (!isOwn) faults.push(`asked another server: ${request.url()}`)
  })
  page.on('requestfailed', (request) => {
    // A page that goes away ends its own requests.
    if (request.failure()?.errorText !== 'net::ERR_ABORTED')
      faults.push(`${request.url()}: ${request.failure()?.errorText ?? ''}`)
  })
  page.on('response', (response) => {
    if (response.status() >= 400) faults.push(`${response.status()} ${response.url()}`)
  })
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(`console: ${message.text()}`)
  })
  page.on('pageerror', (error) => faults.push(`exception: ${error.message}`))
  await page.goto(url)
  return { page, assertClean: () => assert.deepEqual(faults, []) }
}
