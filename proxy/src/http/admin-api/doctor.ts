import type { DoctorReportView } from '../../contracts/admin/index.ts'
import type { CheckResult, DoctorCheck } from '../../kernel/index.ts'

/** Longer than the slowest thing a check tries: OpenClaw's CLI takes up to ten seconds. */
const CHECK_LIMIT_MS = 30_000

/** Tries every check at the same time; one that throws or hangs fails alone. */
export async function runDoctor(
  checks: readonly DoctorCheck[],
  limitMs: number = CHECK_LIMIT_MS,
): Promise<DoctorReportView> {
  const results = await Promise.all(
    checks.map(async (check) => {
      const begun = performance.now()
      const result = await runCheck(check, limitMs)
      return {
        name: check.name,
        ok: result.ok,
        warning: result.ok && result.warning === true,
        said: result.said,
        duration_ms: Math.round(performance.now() - begun),
      }
    }),
  )
  return { ok: results.every((result) => result.ok), checks: results }
}

async function runCheck(check: DoctorCheck, limitMs: number): Promise<CheckResult> {
  const signal = AbortSignal.timeout(limitMs)
  const { promise: timedOut, resolve } = Promise.withResolvers<CheckResult>()
  signal.addEventListener('abort', () =>
    resolve({ ok: false, said: `no answer within ${limitMs / 1_000} s` }),
  )
  try {
    return await Promise.race([check.run(signal), timedOut])
  } catch (error) {
    return { ok: false, said: error instanceof Error ? error.message : String(error) }
  }
}
