-- A token that was exchanged for another one (RFC 8693) ends with the grant of that one: the first of the line. It is
-- looked at when the token is used, so nothing that ends a grant has to know of it.
ALTER TABLE grants ADD COLUMN parent uuid;
