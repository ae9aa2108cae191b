export { type Config, ConfigError, readConfig } from './config.ts'
export { strayLines, unclearLines } from './env-file.ts'
export { SETTINGS, type Setting } from './settings.ts'
