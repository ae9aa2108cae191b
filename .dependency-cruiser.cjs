/** The rules stand in proxy/scripts/import-levels.ts, each with the breach that proves it. */
const { PROVEN_RULES } = require('./proxy/scripts/import-levels.ts')

module.exports = {
  forbidden: PROVEN_RULES.map(({ rule }) => rule),
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      extensions: ['.ts', '.js'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'default'],
    },
  },
}
