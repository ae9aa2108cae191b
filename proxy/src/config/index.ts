export { type Config, ConfigError, readConfig } from './config.ts'
export { strayLines } from './env-file.ts'
export { SETTINGS, type Setting } from './settings.ts'
