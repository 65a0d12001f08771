-- The bridge's rights in PostgreSQL, as few as will do. As a superuser: psql --file rights.sql; then give both passwords.
--
-- causeway_owner makes the tables: at the first start, and at upgrades. causeway is what runs: it reads and writes rows,
-- makes and changes no table, reaches no other database, and cannot change what the audit log says.

CREATE ROLE causeway_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
CREATE ROLE causeway LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
CREATE DATABASE causeway OWNER causeway_owner TEMPLATE template0 ENCODING 'UTF8';
REVOKE ALL ON DATABASE causeway FROM PUBLIC;
GRANT CONNECT ON DATABASE causeway TO causeway;

\connect causeway

ALTER SCHEMA public OWNER TO causeway_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO causeway;
ALTER DEFAULT PRIVILEGES FOR ROLE causeway_owner IN SCHEMA public
  GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO causeway;
ALTER DEFAULT PRIVILEGES FOR ROLE causeway_owner IN SCHEMA public GRANT USAGE ON SEQUENCES TO causeway;

-- When the tables are there (CAUSEWAY_DATABASE_URL=postgres://causeway_owner:…@db/causeway causeway audit list):
-- REVOKE UPDATE, DELETE ON audit, audit_seals, schema_version FROM causeway;
-- REVOKE INSERT ON schema_version FROM causeway;
