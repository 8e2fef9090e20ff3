/** Who may import whom (ARCHITECTURE.md says why). `model` ← `stores` ← `broker | ingest | api` ← `cli`. */
const parts = {
  model: [],
  stores: ['model'],
  broker: ['model', 'stores'],
  ingest: ['model', 'stores'],
  api: ['model', 'stores'],
  web: ['model'],
  simulators: ['model'],
  cli: ['model', 'stores', 'broker', 'ingest', 'api', 'simulators'],
}

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-missing', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'no-undeclared-dependencies',
      severity: 'error',
      from: { path: '^[a-z]+/src' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'no-tests-in-sources',
      severity: 'error',
      from: { path: '^[a-z]+/src' },
      to: { path: ['^test/', '^[a-z]+/test/'] },
    },
    {
      name: 'model-has-no-input-or-output',
      severity: 'error',
      from: { path: '^model/src' },
      to: { dependencyTypes: ['core'] },
    },
    ...Object.entries(parts).map(([part, allowed]) => ({
      name: `${part}-imports-only-${['itself', ...allowed].join('-')}`,
      severity: 'error',
      from: { path: `^${part}/src` },
      to: {
        path: `^(${Object.keys(parts)
          .filter((other) => other !== part && !allowed.includes(other))
          .join('|')})/`,
      },
    })),
    {
      name: 'parts-are-used-through-their-index',
      comment: 'A part shows itself through its exports alone.',
      severity: 'error',
      from: { path: '^([a-z]+)/(src|test)' },
      to: {
        path: '^(model|stores|broker|ingest|api|simulators)/src/.+',
        pathNot: [
          '^$1/',
          '/src/index\\.ts$',
          '^model/src/(kinds/|schemas)',
          '^(broker|stores)/src/limits',
          '^stores/src/readings-drivers',
        ],
      },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(node_modules|dist)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
}
