import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { loadSources } from '../../cli/src/config/sources.ts'
import { getSensor, waitForValues } from '../support/api.ts'
import { addDevice, collect, startBox, withBox, withFolder } from '../support/box.ts'
import { createGuideShell, PASTE_LIMIT_MS, readGuide, withPorts } from '../support/guide.ts'
import { findProgram, skipWithout } from '../support/programs.ts'

const guide = readGuide('docs/devices.md')
const needsMosquitto = { skip: skipWithout('mosquitto_pub') }

/** The code of a section in one language, in its order. */
function blocksOf(section: string, language: string): string[] {
  const blocks = guide.get(section)?.filter((block) => block.language === language) ?? []
  assert.ok(blocks.length > 0, `docs/devices.md has ${language} under '${section}'`)
  return blocks.map(({ code }) => code)
}

describe('the guide for device developers', () => {
  it('holds what it says from the first reading to the refused message', needsMosquitto, async () => {
    const wsPort = await freePort()
    await withFolder((folder) =>
      withBox({ env: { PULSO_MQTT_WS_PORT: String(wsPort) } }, async (box) => {
        const ports = { 1883: box.mqtt.port, 8083: wsPort }
        const shell = createGuideShell({ dataDir: box.dataDir, folder, ports })
        const runAll = async (section: string): Promise<string> => {
          let output = ''
          for (const code of blocksOf(section, 'sh')) output += await shell.run(code)
          return output
        }

        await runAll('A first reading')
        await waitForValues(box, 'bay-42', { status: 'free' })

        await runAll('Payloads')
        await waitForValues(box, 'air-7', { temperature: 21.5, relativeHumidity: 0.45, pm25: 8.2 })
        const { properties } = await getSensor(box, 'bay-42')
        assert.equal(properties.values.status, 'free')

        const listed = await runAll('Credentials')
        for (const words of [/3 added/, /bay-51 +token/, /bay-52 +token/, /^bay-42 .*Z$/m])
          assert.match(listed, words)
        assert.doesNotMatch(listed, /^bay-50 /m)

        await runAll('From ThingsBoard')
        await waitForValues(box, 'bay-60', { status: 'occupied' })

        assert.match(await runAll('LoRaWAN'), /24E124136B321098, decoded by milesight-em300-th/)

        const script = join(folder, 'websocket.mjs')
        for (const code of blocksOf('WebSocket', 'js')) {
          writeFileSync(script, withPorts(code, ports).replace('PASSWORD', shell.password('bay-42')))
          const ran = await collect(
            spawn(process.execPath, [script], { cwd: folder, timeout: PASTE_LIMIT_MS }),
          )
          assert.equal(ran.code, 0, `${code}\n${ran.stdout}\n${ran.stderr}`)
        }
        await waitForValues(box, 'bay-42', { status: 'closed' })

        await shell.run(
          `mosquitto_pub -h 127.0.0.1 -p 1883 -q 1 -u bay-42 -P PASSWORD -t pulso/parking/bay-42/telemetry -m '{"status":"full"}'
           mosquitto_pub -h 127.0.0.1 -p 1883 -q 1 -u bay-42 -P PASSWORD -t pulso/parking/bay-42/telemetry -m '{"status":"free"}'`,
        )
        await waitForValues(box, 'bay-42', { status: 'free' })
        assert.match(await runAll('Why was my message refused?'), /unknown-value[^]*unknown-value/)
      }),
    )
  })

  it(
    'makes an authority and certificates that get devices in over TLS',
    { skip: needsMosquitto.skip || skipWithout('openssl') },
    async () => {
      const [makeAuthority = '', ...others] = blocksOf('TLS and certificates', 'sh')
      const [settings = ''] = blocksOf('TLS and certificates', 'ini')
      const tlsPort = await freePort()
      const ports = { 8883: tlsPort }
      await withFolder(async (folder) => {
        const dataDir = join(folder, 'data')
        const shell = createGuideShell({ dataDir, folder, ports })
        await shell.run(makeAuthority)
        const entries = withPorts(settings, ports)
          .trim()
          .split('\n')
          .map((line) => line.split('='))
        const env = Object.fromEntries(
          entries.map(([name = '', value = '']) => [
            name,
            name.endsWith('_PORT') ? value : join(folder, value),
          ]),
        )
        const box = await startBox({ dataDir, env })
        try {
          for (const code of others) await shell.run(code)
          await waitForValues(box, 'bay-70', { status: 'free' })
          await waitForValues(box, 'bay-71', { status: 'free' })
        } finally {
          await box.stop()
        }
      })
    },
  )

  it('shows a Python script that gets a reading kept', { skip: skipWithoutPaho() }, async () => {
    const [script = ''] = blocksOf('Python', 'python')
    await withFolder((folder) =>
      withBox({}, async (box) => {
        const { password } = await addDevice(box, ['bay-42', '--kind', 'parking'])
        const file = join(folder, 'device.py')
        const filled = withPorts(script, { 1883: box.mqtt.port }).replace('"PASSWORD"', `"${password}"`)
        writeFileSync(file, filled)
        const { code, stdout, stderr } = await collect(spawn('python3', [file], { timeout: PASTE_LIMIT_MS }))
        assert.equal(code, 0, stderr)
        assert.equal(stdout, 'kept\n')
        await waitForValues(box, 'bay-42', { status: 'occupied' })
      }),
    )
  })

  it('shows a sketch that compiles for both boards', { skip: skipWithoutCompiler() }, async () => {
    const [sketch = ''] = blocksOf('Arduino', 'cpp')
    await withFolder(async (folder) => {
      for (const [name, content] of Object.entries(BOARD_HEADERS)) {
        mkdirSync(dirname(join(folder, name)), { recursive: true })
        writeFileSync(join(folder, name), content)
      }
      const file = join(folder, 'sketch.cpp')
      writeFileSync(file, `#include <Arduino.h>\n${sketch}`)
      for (const board of ['ESP8266', 'ESP32']) {
        const flags = ['-std=c++17', '-fsyntax-only', '-Wall', '-Werror', `-D${board}`, '-I', folder]
        const { code, stderr } = await collect(spawn('g++', [...flags, file]))
        assert.equal(code, 0, `${board}: ${stderr}`)
      }
    })
  })

  it('shows external brokers as they are read', async () => {
    const [sources = ''] = blocksOf('LoRaWAN', 'json')
    await withFolder(async (folder) => {
      const file = join(folder, 'sources.json')
      writeFileSync(file, sources)
      writeFileSync(join(folder, 'the-things-stack.key'), 'NNSXS.KEY\n')
      assert.deepEqual(
        (await loadSources(file)).map(({ name, topics }) => [name, topics.length]),
        [
          ['the-things-stack', 1],
          ['chirpstack', 1],
        ],
      )
    })
  })
})

/** The functions of the boards and of 256dpi/arduino-mqtt 2.5 that the sketch uses, as these declare them. */
const BOARD_HEADERS: Readonly<Record<string, string>> = {
  'Arduino.h': `#pragma once
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#define HIGH 0x1
#define INPUT 0x01
void pinMode(uint8_t pin, uint8_t mode);
int digitalRead(uint8_t pin);
unsigned long millis();
void delay(unsigned long ms);
long random(long howbig);
void configTime(long gmtOffset_sec, int daylightOffset_sec, const char* server1);
class Client { public: virtual ~Client() {} };
`,
  'WiFi.h': `#pragma once
#include <Arduino.h>
enum wl_status_t { WL_CONNECTED = 3 };
enum wifi_mode_t { WIFI_STA = 1 };
class WiFiClient : public Client {};
class WiFiClass { public: bool mode(wifi_mode_t); wl_status_t begin(const char*, const char*); wl_status_t status(); };
extern WiFiClass WiFi;
`,
  'ESP8266WiFi.h': '#include <WiFi.h>\n',
  'MQTT.h': `#pragma once
#include <Arduino.h>
class MQTTClient {
 public:
  explicit MQTTClient(int bufSize = 128);
  void begin(const char hostname[], int port, Client& client);
  void setWill(const char topic[], const char payload[], bool retained, int qos);
  void setKeepAlive(int keepAlive);
  void setTimeout(int timeout);
  bool connect(const char clientID[], const char username[], const char password[], bool skip = false);
  bool publish(const char topic[], const char payload[], bool retained, int qos);
  bool loop();
  bool connected();
};
`,
}

function skipWithoutPaho(): string | false {
  const check = 'import sys, paho.mqtt; sys.exit(int(paho.mqtt.__version__.split(".")[0]) < 2)'
  const { status } = spawnSync('python3', ['-c', check], { stdio: 'ignore' })
  return status === 0 ? false : 'python3 with paho-mqtt 2 is not installed here'
}

function skipWithoutCompiler(): string | false {
  return findProgram('g++') ? false : 'g++ is not installed here'
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
