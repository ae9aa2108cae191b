/**
 * `app_tenant()` is whose rows this transaction may see: an error where that was not said, since a pooled connection that
 * had a tenant once answers '' and would see no rows without a word. `app_json(text)` is NULL for what is no JSON, which
 * PostgreSQL 15 cannot ask otherwise; escapes that it has no character for (NUL, half a pair) are read as U+FFFD.
 */
export const FUNCTIONS = String.raw`
CREATE FUNCTION app_tenant() RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE tenant text := current_setting('app.tenant', true);
BEGIN
  IF tenant IS NULL OR tenant = '' THEN
    RAISE EXCEPTION 'no tenant is set for this transaction' USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN tenant;
END $$;
CREATE FUNCTION app_json(value text) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  RETURN value::jsonb;
EXCEPTION WHEN OTHERS THEN
  BEGIN
    RETURN regexp_replace(value, '(?<!\\)((?:\\\\)*)\\u(?:0000|[dD][89a-fA-F][0-9a-fA-F]{2})', '\1\\ufffd', 'g')::jsonb;
  EXCEPTION WHEN OTHERS THEN
    RETURN NULL;
  END;
END $$;
`
