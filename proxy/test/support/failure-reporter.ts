import type { Reporter, TestCase, TestModule } from 'vitest/node'

/** Prints why a test failed as soon as it has, and what failed outside of tests; the summary comes at the end as well. */
export default class FailureReporter implements Reporter {
  onTestCaseResult(test: TestCase): void {
    const { state, errors } = test.result()
    if (state === 'failed') tell(`${test.module.moduleId} > ${test.fullName}`, errors ?? [])
  }

  onTestModuleEnd(module: TestModule): void {
    const errors = module.errors()
    if (errors.length > 0) tell(module.moduleId, errors)
  }
}

function tell(
  name: string,
  errors: readonly { readonly message: string; readonly stack?: string | undefined }[],
): void {
  for (const { message, stack } of errors)
    console.error(`\nFAILED  ${name}\n${ownFrames(stack) ?? message}\n`)
}

/** Without the runner's own lines. */
const ownFrames = (stack: string | undefined): string | undefined =>
  stack
    ?.split('\n')
    .filter((line) => !/^\s+at .*(?:node_modules|<anonymous>)/.test(line))
    .join('\n')
