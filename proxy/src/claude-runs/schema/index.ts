export { createSchemaChecker, type SchemaChecker } from './schema-checker.ts'
export { SCHEMA_LIMITS } from './validate.ts'
