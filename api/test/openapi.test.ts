import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { createTestApi, toSensor, toState, type TestApi } from './helper.ts'

interface Media {
  schema: object
  example?: unknown
}
interface Operation {
  summary?: string
  description?: string
  tags?: string[]
  parameters?: { name: string; in: string; description?: string; example?: unknown; schema: object }[]
  requestBody?: { content: Record<string, Media> }
  responses: Record<string, { description: string; content?: Record<string, Media> }>
}
interface Document {
  openapi: string
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, object> }
}

const ROUTES = [
  'GET /api/v1/city',
  'GET /api/v1/zones',
  'GET /api/v1/sensors',
  'GET /api/v1/sensors/{id}',
  'GET /api/v1/sensors/{id}/history',
  'GET /api/v1/aggregates/{kind}',
  'GET /api/v1/parking/nearest',
  'GET /api/v1/export/{kind}.{format}',
  'GET /api/v1/live',
  'GET /basemap/schematic.json',
  'GET /tiles/sensors/{z}/{x}/{y}.mvt',
  'GET /tiles/sensors.json',
  'GET /ogc',
  'GET /ogc/conformance',
  'GET /ogc/collections',
  'GET /ogc/collections/{collection}',
  'GET /ogc/collections/{collection}/items',
  'GET /ogc/collections/{collection}/items/{id}',
  'GET /ngsi-ld/v1/entities',
  'GET /ngsi-ld/v1/entities/{id}',
  'GET /ngsi-ld/v1/types',
  'GET /ngsi-ld/v1/context.jsonld',
  'GET /parkapi/v1',
  'GET /parkapi/v1/{city}',
  'POST /api/v1/ops/quarantine/purge',
  'POST /api/v1/ops/quarantine/replay',
  'POST /api/v1/session',
  'GET /api/v1/session',
  'DELETE /api/v1/session',
  'GET /api/v1/ops/overview',
  'GET /api/v1/ops/sensors',
  'GET /api/v1/ops/quarantine',
  'GET /api/v1/ops/quarantine/totals',
  'GET /health/live',
  'GET /health/ready',
  'GET /metrics',
]

async function readDocument({ get }: TestApi): Promise<Document> {
  return (await get('/openapi.json')).body as Document
}

function listOperations({ paths }: Document): [string, Operation][] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, Operation] => [
      `${method.toUpperCase()} ${path}`,
      operation,
    ]),
  )
}

/** Checks a value against a schema of the document. */
function createChecker(document: Document): (schema: object, value: unknown, about: string) => void {
  const ajv = new Ajv2020({ strict: false, formats: { 'date-time': true }, allErrors: true })
  ajv.addSchema(document, 'document')
  const absolute = (schema: object): unknown =>
    JSON.parse(JSON.stringify(schema).replaceAll('"#/components', '"document#/components'))
  return (schema, value, about) => {
    const validate = ajv.compile(absolute(schema) as object)
    assert.ok(validate(value), `${about}: ${ajv.errorsText(validate.errors)}`)
  }
}

test('the document names every route of the contract, and nothing beside', async (t) => {
  const document = await readDocument(await createTestApi(t))
  assert.equal(document.openapi, '3.1.0')
  assert.deepEqual(
    listOperations(document)
      .map(([name]) => name)
      .sort(),
    [...ROUTES].sort(),
  )
})

test('every route, parameter and answer is described, with an example that its schema accepts', async (t) => {
  const document = await readDocument(await createTestApi(t))
  const check = createChecker(document)
  for (const [
    name,
    { summary, description, tags, parameters = [], requestBody, responses },
  ] of listOperations(document)) {
    assert.ok(summary && description && tags?.length === 1, name)
    for (const parameter of parameters) {
      assert.ok(parameter.description, `${name} ${parameter.name}`)
      if (parameter.example !== undefined)
        check(parameter.schema, parameter.example, `${name} ${parameter.name}`)
    }
    if (requestBody) {
      const { schema = {}, example } = requestBody.content['application/json'] ?? {}
      assert.ok(example, `${name} has no example of a body`)
      check(schema, example, name)
    }
    for (const [status, { description: about, content = {} }] of Object.entries(responses)) {
      assert.notEqual(about, 'Default Response', `${name} ${status}`)
      for (const [type, { schema, example }] of Object.entries(content)) {
        assert.notEqual(example, undefined, `${name} ${status} ${type} has no example`)
        check(schema, example, `${name} ${status} ${type}`)
      }
    }
  }
})

test('references lead somewhere, and tuples are written as this draft has them', async (t) => {
  const testApi = await createTestApi(t)
  const document = await readDocument(testApi)
  const { text } = await testApi.get('/openapi.json')
  for (const [, name = ''] of text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g))
    assert.ok(document.components.schemas[name], name)
  assert.doesNotMatch(text, /"items":\[/)
})

test('real answers are what the document says', async (t) => {
  const sensors = [toSensor('a'), toSensor('b', { position: null, attributes: { volume: 3, lidded: true } })]
  const testApi = await createTestApi(t, { sensors })
  testApi.api.applyStates([
    toState('a', { fillLevel: 0.5 }, { hourly: { fillLevel: { mean: 0.4, coverage: 1 } } }),
  ])
  const document = await readDocument(testApi)
  const check = createChecker(document)
  const answers = {
    '/api/v1/city': '/api/v1/city',
    '/api/v1/zones': '/api/v1/zones',
    '/api/v1/sensors': '/api/v1/sensors?limit=1',
    '/api/v1/sensors/{id}': '/api/v1/sensors/a',
    '/basemap/schematic.json': '/basemap/schematic.json',
    '/health/ready': '/health/ready',
  }
  for (const [path, url] of Object.entries(answers)) {
    const { status, body, headers } = await testApi.get(url)
    assert.equal(status, 200, url)
    const type = String(headers['content-type']).split(';', 1)[0] ?? ''
    check(
      document.paths[path]?.get?.responses['200']?.content?.[type]?.schema ?? assert.fail(path),
      body,
      url,
    )
  }
})

test('the docs page takes everything from here', async (t) => {
  const { get } = await createTestApi(t)
  const { text } = await get('/docs/')
  assert.doesNotMatch(text, /https?:\/\/|<script>|style=/)
  for (const [, file = ''] of text.matchAll(/(?:src|href)="\.([^"]+)"/g))
    assert.equal((await get(`/docs${file}`)).status, 200, file)
  const { text: initializer } = await get('/docs/static/swagger-initializer.js')
  assert.match(initializer, /validatorUrl":\s*null/)
  // The bar of the other layout brings an inline style, which the policy refuses with an error in the console.
  assert.match(initializer, /layout":\s*"BaseLayout"/)
})
