export {
  type ClaudeRunsConfig,
  type Config,
  ConfigError,
  readConfig,
  type TelegramConfig,
  type WakeConfig,
} from './config.ts'
export { strayLines, unclearLines } from './env-file.ts'
export { SETTINGS, type Setting } from './settings.ts'
export { addressMatcher } from './trusted-proxies.ts'
