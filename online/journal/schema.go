package journal

// migration brings a journal from one version to the next. Tables are written
// for SQLite and translated; what guards them is not the same in both.
type migration struct{ tables, sqlite, postgres string }

// migrations are all of them. What was released is never changed. The version
// is user_version on SQLite, and in the table version on PostgreSQL.
var migrations = [...]migration{
	{tables: `
CREATE TABLE requests (
	digest  BLOB PRIMARY KEY CHECK (length(digest) = 32),
	file    BLOB NOT NULL,
	created INTEGER NOT NULL,
	items   INTEGER NOT NULL,
	written INTEGER NOT NULL DEFAULT 0 -- the file was written somewhere, durably
) STRICT;

CREATE TABLE items (
	seq        INTEGER PRIMARY KEY AUTOINCREMENT,
	id         TEXT NOT NULL UNIQUE,
	chain      TEXT NOT NULL,
	network    INTEGER NOT NULL,
	pending    BLOB NOT NULL,
	content    BLOB NOT NULL CHECK (length(content) = 32),
	withdrawal TEXT NOT NULL,
	state      TEXT NOT NULL,
	request    BLOB REFERENCES requests (digest),
	code       TEXT NOT NULL DEFAULT '',
	reason     TEXT NOT NULL DEFAULT '',
	signed     BLOB,
	txid       TEXT NOT NULL DEFAULT '',
	created    INTEGER NOT NULL,
	updated    INTEGER NOT NULL,
	CHECK (state IN ('fetched', 'prepared', 'exported', 'signed', 'broadcast', 'completed', 'refused', 'rejected', 'failed')),
	CHECK (state NOT IN ('signed', 'broadcast', 'completed') OR signed IS NOT NULL),
	CHECK (state NOT IN ('fetched', 'prepared', 'exported', 'refused', 'rejected') OR signed IS NULL),
	CHECK ((signed IS NULL) = (txid = ''))
) STRICT;
CREATE INDEX items_by_state ON items (state, seq);
CREATE INDEX items_by_request ON items (request);

CREATE TABLE previous (
	txid TEXT PRIMARY KEY,
	raw  BLOB NOT NULL
) STRICT;

CREATE TABLE results (
	digest   BLOB PRIMARY KEY CHECK (length(digest) = 32),
	request  BLOB NOT NULL REFERENCES requests (digest),
	file     BLOB NOT NULL,
	imported INTEGER NOT NULL
) STRICT;

CREATE TABLE peer (
	only       INTEGER PRIMARY KEY CHECK (only = 1),
	signer     BLOB NOT NULL CHECK (length(signer) = 32),
	watch      BLOB NOT NULL,
	head       BLOB,
	ledger_len INTEGER NOT NULL DEFAULT 0
) STRICT;
`, sqlite: `
-- For one pending id at most one signed byte string ever leaves.
CREATE TRIGGER signed_once BEFORE UPDATE OF signed, txid ON items
WHEN OLD.signed IS NOT NULL AND (NEW.signed IS NOT OLD.signed OR NEW.txid IS NOT OLD.txid)
BEGIN SELECT RAISE(ABORT, 'signed bytes are set once'); END;

CREATE TRIGGER items_stay BEFORE DELETE ON items
BEGIN SELECT RAISE(ABORT, 'items are never deleted'); END;

CREATE TRIGGER items_same BEFORE UPDATE OF id, chain, network, pending, content, withdrawal ON items
BEGIN SELECT RAISE(ABORT, 'what Tatum asked for is never changed'); END;
`, postgres: `
-- For one pending id at most one signed byte string ever leaves.
CREATE FUNCTION signed_once() RETURNS trigger LANGUAGE plpgsql AS
	$$ BEGIN RAISE EXCEPTION 'signed bytes are set once'; END $$;
CREATE TRIGGER signed_once BEFORE UPDATE OF signed, txid ON items FOR EACH ROW
	WHEN (OLD.signed IS NOT NULL AND (NEW.signed IS DISTINCT FROM OLD.signed OR NEW.txid IS DISTINCT FROM OLD.txid))
	EXECUTE FUNCTION signed_once();

CREATE FUNCTION items_stay() RETURNS trigger LANGUAGE plpgsql AS
	$$ BEGIN RAISE EXCEPTION 'items are never deleted'; END $$;
CREATE TRIGGER items_stay BEFORE DELETE ON items FOR EACH ROW EXECUTE FUNCTION items_stay();
CREATE TRIGGER items_all_stay BEFORE TRUNCATE ON items EXECUTE FUNCTION items_stay();

CREATE FUNCTION items_same() RETURNS trigger LANGUAGE plpgsql AS
	$$ BEGIN RAISE EXCEPTION 'what Tatum asked for is never changed'; END $$;
CREATE TRIGGER items_same BEFORE UPDATE OF id, chain, network, pending, content, withdrawal ON items
	FOR EACH ROW EXECUTE FUNCTION items_same();
`},
	// Several relays; what became of a transaction after it was completed; the
	// one pending id that a transaction pays.
	{tables: `
ALTER TABLE items ADD COLUMN holder TEXT NOT NULL DEFAULT '';
ALTER TABLE items ADD COLUMN held_until INTEGER NOT NULL DEFAULT 0; -- ms since 1970, by the database's clock
ALTER TABLE items ADD COLUMN depth INTEGER NOT NULL DEFAULT 0;

CREATE TABLE payers (
	txid TEXT PRIMARY KEY,
	id   TEXT NOT NULL
) STRICT;
INSERT INTO payers (txid, id)
	SELECT txid, id FROM items WHERE seq IN (SELECT min(seq) FROM items WHERE txid <> '' GROUP BY txid);

CREATE TABLE relay (
	only       INTEGER PRIMARY KEY CHECK (only = 1),
	identity   BLOB NOT NULL CHECK (length(identity) = 32)
) STRICT;
`, postgres: `
CREATE TABLE commits (
	token TEXT PRIMARY KEY,
	at    BIGINT NOT NULL
);
`},
	// Several API keys; since when an item is where it is; what was told about
	// it to whoever wants to hear of events.
	{tables: `
ALTER TABLE items ADD COLUMN account TEXT NOT NULL DEFAULT ''; -- name of the API key that fetched it
ALTER TABLE items ADD COLUMN since INTEGER NOT NULL DEFAULT 0; -- 0: created
ALTER TABLE items ADD COLUMN told TEXT NOT NULL DEFAULT '';
UPDATE items SET since = updated, told = state;
CREATE INDEX items_untold ON items (seq) WHERE told <> state;
CREATE INDEX items_by_depth ON items (state, depth);
`, sqlite: `
CREATE TRIGGER items_since AFTER UPDATE OF state ON items WHEN OLD.state <> NEW.state
BEGIN UPDATE items SET since = NEW.updated WHERE seq = NEW.seq; END;
`, postgres: `
CREATE FUNCTION items_since() RETURNS trigger LANGUAGE plpgsql AS
	$$ BEGIN NEW.since := NEW.updated; RETURN NEW; END $$;
CREATE TRIGGER items_since BEFORE UPDATE OF state ON items FOR EACH ROW
	WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION items_since();
`},
	// Alarms: records of their own, which only a person closes.
	{tables: `
CREATE TABLE alarms (
	seq      INTEGER PRIMARY KEY AUTOINCREMENT,
	item     TEXT NOT NULL,               -- pending id, '' for the relay as a whole
	code     TEXT NOT NULL,
	evidence TEXT NOT NULL,               -- what identifies the finding, such as a txid
	reason   TEXT NOT NULL,
	raised   INTEGER NOT NULL,            -- these are seconds since 1970, 0 for never
	seen     INTEGER NOT NULL,
	healed   INTEGER NOT NULL DEFAULT 0,
	closed   INTEGER NOT NULL DEFAULT 0,
	closer   TEXT NOT NULL DEFAULT '',
	why      TEXT NOT NULL DEFAULT '',
	told     INTEGER NOT NULL DEFAULT 0   -- whether the event went out
) STRICT;
CREATE UNIQUE INDEX alarms_open ON alarms (item, code) WHERE closed = 0;
CREATE INDEX alarms_by_item ON alarms (item, code, seq);
CREATE INDEX alarms_untold ON alarms (seq) WHERE told = 0;
`},
	// What every round looks for is found without reading what is finished. Who
	// holds items, in words for people.
	{tables: `
CREATE INDEX items_held ON items (holder) WHERE held_until > 0;
CREATE INDEX items_waiting ON items (request) WHERE state = 'exported';
CREATE INDEX items_by_since ON items (since);
CREATE INDEX results_by_request ON results (request);

CREATE TABLE holders (
	owner TEXT PRIMARY KEY,
	name  TEXT NOT NULL,
	since INTEGER NOT NULL -- ms since 1970, by the database's clock
) STRICT;

CREATE TABLE restores (
	made INTEGER NOT NULL, -- when the backup was made, in seconds since 1970
	at   INTEGER NOT NULL
) STRICT;
`, postgres: `
CREATE INDEX commits_by_at ON commits (at);
`},
	// What must not go to the signer, which items a request holds, and which
	// requests are never to be placed again. An older journal does not say
	// what a request holds that is now in a newer one: such a request is void.
	{tables: `
ALTER TABLE items ADD COLUMN withheld TEXT NOT NULL DEFAULT ''; -- code of why it must not go to the signer
UPDATE items SET withheld = code WHERE state IN ('fetched', 'prepared', 'exported')
	AND code IN ('unknown-at-tatum', 'completed-with-other-txid', 'content-changed');

CREATE TABLE request_items (
	request BLOB NOT NULL REFERENCES requests (digest),
	id      TEXT NOT NULL,
	PRIMARY KEY (request, id)
) STRICT;
INSERT INTO request_items (request, id) SELECT request, id FROM items WHERE request IS NOT NULL;

ALTER TABLE requests ADD COLUMN void TEXT NOT NULL DEFAULT ''; -- why it is never placed again
UPDATE requests SET void = 'part of it is in a newer request'
	WHERE EXISTS (SELECT 1 FROM items WHERE items.request = digest AND state = 'exported')
	AND items > (SELECT count(*) FROM items WHERE items.request = digest);
CREATE INDEX requests_void ON requests (digest) WHERE void <> '';
`},
	// Back-off of each item and each event; the approval service, and what it
	// said of each item.
	{tables: `
ALTER TABLE items ADD COLUMN tries INTEGER NOT NULL DEFAULT 0;    -- in this state, in a row, that came to nothing
ALTER TABLE items ADD COLUMN retry_at INTEGER NOT NULL DEFAULT 0; -- not to be tried before; ms since 1970

CREATE TABLE letters (
	id       TEXT NOT NULL,               -- of an item or an alarm
	event    TEXT NOT NULL,
	tries    INTEGER NOT NULL,
	retry_at INTEGER NOT NULL,            -- as in items
	dead     INTEGER NOT NULL DEFAULT 0,  -- given up, kept for a person
	reason   TEXT NOT NULL,
	PRIMARY KEY (id, event)
) STRICT;

CREATE TABLE service (
	only       INTEGER PRIMARY KEY CHECK (only = 1),
	url        TEXT NOT NULL,
	method     TEXT NOT NULL
) STRICT;

CREATE TABLE approvals (
	id         TEXT PRIMARY KEY,          -- pending id
	verdict    TEXT NOT NULL CHECK (verdict IN ('approved', 'vetoed', 'lifted')),
	statements BLOB NOT NULL,             -- JSON
	asked      INTEGER NOT NULL,          -- seconds since 1970
	expires    INTEGER NOT NULL,          -- seconds since 1970, 0 for never
	reason     TEXT NOT NULL
) STRICT;
`, sqlite: `
DROP TRIGGER items_since;
CREATE TRIGGER items_since AFTER UPDATE OF state ON items WHEN OLD.state <> NEW.state
BEGIN UPDATE items SET since = NEW.updated, tries = 0, retry_at = 0 WHERE seq = NEW.seq; END;
`, postgres: `
CREATE OR REPLACE FUNCTION items_since() RETURNS trigger LANGUAGE plpgsql AS
	$$ BEGIN NEW.since := NEW.updated; NEW.tries := 0; NEW.retry_at := 0; RETURN NEW; END $$;
`},
	// What is deep enough in the chain is not looked at any more; the one
	// pending id that a withdrawal is paid by.
	{tables: `
ALTER TABLE items ADD COLUMN settled INTEGER NOT NULL DEFAULT 0;
UPDATE items SET settled = 1 WHERE state = 'completed' AND depth >= 1; -- as deep as was demanded then
CREATE INDEX items_unsettled ON items (seq) WHERE settled = 0 AND state IN ('broadcast', 'completed');
CREATE INDEX items_by_withdrawal ON items (withdrawal) WHERE withdrawal <> '';

CREATE TABLE withdrawals (
	withdrawal TEXT PRIMARY KEY,
	id         TEXT NOT NULL
) STRICT;
`},
	// What came to an end lately is found without reading the items themselves.
	{tables: `
DROP INDEX items_by_since;
CREATE INDEX items_by_since_state ON items (since, state, seq);
`},
	// Replaced by items_unsettled.
	{tables: `
DROP INDEX items_by_depth;
`},
	// How many items are finished, so that nobody has to count them. Nothing
	// counts an INSERT: an item begins as fetched, and a restored one comes with
	// its tally. Connections to PostgreSQL write to different rows, so that
	// transactions do not wait for each other; the number is the sum.
	{tables: `
CREATE TABLE tally (
	state TEXT NOT NULL,
	slot  INTEGER NOT NULL,
	items INTEGER NOT NULL,
	PRIMARY KEY (state, slot)
) STRICT;
`, sqlite: `
CREATE TRIGGER items_tallied AFTER UPDATE OF state ON items
WHEN OLD.state <> NEW.state AND (OLD.state IN ('completed', 'rejected') OR NEW.state IN ('completed', 'rejected'))
BEGIN
	INSERT INTO tally (state, slot, items) SELECT s.state, 0, s.n FROM (SELECT OLD.state AS state, -1 AS n UNION ALL SELECT NEW.state, 1) AS s
		WHERE s.state IN ('completed', 'rejected') ON CONFLICT (state, slot) DO UPDATE SET items = items + excluded.items;
END;
` + fillTally, postgres: `
CREATE FUNCTION items_tallied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
	INSERT INTO tally (state, slot, items) SELECT s.state, mod(pg_backend_pid(), 256), s.n FROM (VALUES (OLD.state, -1), (NEW.state, 1)) AS s (state, n)
		WHERE s.state IN ('completed', 'rejected') ON CONFLICT (state, slot) DO UPDATE SET items = tally.items + excluded.items;
	RETURN NULL;
END $$;
CREATE TRIGGER items_tallied AFTER UPDATE OF state ON items FOR EACH ROW
	WHEN (OLD.state <> NEW.state AND (OLD.state IN ('completed', 'rejected') OR NEW.state IN ('completed', 'rejected')))
	EXECUTE FUNCTION items_tallied();
` + fillTally},
	// Which item asks for a transaction, by its txid without signatures; '' until
	// somebody needs it, '-' where there is none.
	{tables: `
ALTER TABLE items ADD COLUMN unsigned TEXT NOT NULL DEFAULT '';
CREATE INDEX items_by_unsigned ON items (unsigned) WHERE unsigned <> '';
CREATE INDEX items_unhashed ON items (seq) WHERE request IS NOT NULL AND unsigned = '';
`},
	// Evidence that counts only if it is found twice, some time apart.
	{tables: `
CREATE TABLE looks (
	id       TEXT PRIMARY KEY,            -- pending id
	evidence TEXT NOT NULL,
	at       INTEGER NOT NULL             -- when it was first found; seconds since 1970
) STRICT;
`},
	// When bytes were handed to the network; what a person had sent all the same;
	// which services say no. Of what an older journal holds signed, nobody knows
	// whether it was sent. Withdrawals that differ in letter case are one.
	{tables: `
ALTER TABLE items ADD COLUMN handed INTEGER NOT NULL DEFAULT 0;  -- for the first time, in seconds since 1970; 0: never
ALTER TABLE items ADD COLUMN accepted TEXT NOT NULL DEFAULT ''; -- code of what it was held for when a person had it sent all the same
UPDATE items SET handed = updated WHERE signed IS NOT NULL AND NOT (state = 'failed' AND code IN ('signed-after-drop', 'signed-after-refusal'));
UPDATE items SET withheld = 'unknown-at-tatum' WHERE state = 'signed' AND code = 'signed-after-drop' AND withheld = '';

CREATE TABLE vetoes (
	id      TEXT NOT NULL,                -- pending id
	service TEXT NOT NULL,                -- address of the approval service; '': an older journal did not say
	at      INTEGER NOT NULL,             -- seconds since 1970
	PRIMARY KEY (id, service)
) STRICT;
INSERT INTO vetoes (id, service, at) SELECT id, COALESCE((SELECT rtrim(url, '/') FROM service), ''), updated FROM items WHERE withheld = 'four-eye-refused';

DROP INDEX items_by_withdrawal;
CREATE INDEX items_by_withdrawal ON items (lower(withdrawal)) WHERE withdrawal <> '';
INSERT INTO withdrawals (withdrawal, id) SELECT lower(withdrawal), min(id) FROM withdrawals WHERE withdrawal <> lower(withdrawal) GROUP BY lower(withdrawal)
	ON CONFLICT (withdrawal) DO NOTHING;
`},
	// Whether it is on record that bytes were handed over, or only supposed of an
	// older journal. What an older version stopped watching at one confirmation is
	// watched again, if it came to its end in the journal's last 30 days.
	{tables: `
ALTER TABLE items ADD COLUMN handed_known INTEGER NOT NULL DEFAULT 0;
UPDATE items SET settled = 0 WHERE state = 'completed' AND settled = 1 AND since >= (SELECT max(updated) FROM items) - 30 * 86400
	AND depth < CASE chain WHEN 'LTC' THEN 24 WHEN 'DOGE' THEN 80 WHEN 'BCH' THEN 20 ELSE 12 END;
`},
	// The tally is kept for each chain and network.
	{tables: `
DROP TABLE tally;
CREATE TABLE tally (
	state   TEXT NOT NULL,
	chain   TEXT NOT NULL,
	network INTEGER NOT NULL,
	slot    INTEGER NOT NULL,
	items   INTEGER NOT NULL,
	PRIMARY KEY (state, chain, network, slot)
) STRICT;
`, sqlite: `
DROP TRIGGER items_tallied;
CREATE TRIGGER items_tallied AFTER UPDATE OF state ON items
WHEN OLD.state <> NEW.state AND (OLD.state IN ('completed', 'rejected') OR NEW.state IN ('completed', 'rejected'))
BEGIN
	INSERT INTO tally (state, chain, network, slot, items)
		SELECT s.state, NEW.chain, NEW.network, 0, s.n FROM (SELECT OLD.state AS state, -1 AS n UNION ALL SELECT NEW.state, 1) AS s
		WHERE s.state IN ('completed', 'rejected') ON CONFLICT (state, chain, network, slot) DO UPDATE SET items = items + excluded.items;
END;
` + fillTallyByCoin, postgres: `
CREATE OR REPLACE FUNCTION items_tallied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
	INSERT INTO tally (state, chain, network, slot, items)
		SELECT s.state, NEW.chain, NEW.network, mod(pg_backend_pid(), 256), s.n FROM (VALUES (OLD.state, -1), (NEW.state, 1)) AS s (state, n)
		WHERE s.state IN ('completed', 'rejected') ON CONFLICT (state, chain, network, slot) DO UPDATE SET items = tally.items + excluded.items;
	RETURN NULL;
END $$;
DROP TRIGGER items_tallied ON items;
CREATE TRIGGER items_tallied AFTER UPDATE OF state ON items FOR EACH ROW
	WHEN (OLD.state <> NEW.state AND (OLD.state IN ('completed', 'rejected') OR NEW.state IN ('completed', 'rejected')))
	EXECUTE FUNCTION items_tallied();
` + fillTallyByCoin},
	// Until when the network is watched for the transaction of an item that was
	// rejected after it had been in a request: who has a copy may have it signed.
	{tables: `
ALTER TABLE items ADD COLUMN outstanding INTEGER NOT NULL DEFAULT 0; -- in seconds since 1970; 0: it is not
CREATE INDEX items_outstanding ON items (seq) WHERE outstanding > 0 AND state = 'rejected';
UPDATE items SET outstanding = since + 30 * 86400 WHERE state = 'rejected' AND since >= (SELECT max(updated) FROM items) - 30 * 86400
	AND EXISTS (SELECT 1 FROM request_items WHERE request_items.id = items.id);
`},
	// Pending ids that differ in letter case are one; what an older version took
	// twice is held. What Tatum was seen to have in the place of an item, so that
	// a person's decision is about that and nothing else; an acceptance of whatever
	// comes ends. Under which API key Tatum was seen to have it. An item is in its
	// first state since it came.
	{tables: `
ALTER TABLE items ADD COLUMN twin INTEGER NOT NULL DEFAULT 0;
ALTER TABLE items ADD COLUMN offered TEXT NOT NULL DEFAULT '';            -- digest of the content, in hex; '': as it came
ALTER TABLE items ADD COLUMN offered_withdrawal TEXT NOT NULL DEFAULT '';
ALTER TABLE items ADD COLUMN seen_by TEXT NOT NULL DEFAULT '';            -- fingerprint of an API key
UPDATE items SET twin = 1 WHERE seq IN (SELECT seq FROM (SELECT seq, row_number() OVER (PARTITION BY lower(id) ORDER BY seq) AS n FROM items) AS t WHERE n > 1);
UPDATE items SET withheld = 'same-id' WHERE twin = 1 AND state IN ('fetched', 'prepared', 'exported', 'signed');
INSERT INTO alarms (item, code, evidence, reason, raised, seen) SELECT id, 'same-id', lower(id), 'ALARM: this pending id differs from one that came before in letter case only, and an older version took both: find out whether it was paid twice', updated, updated FROM items WHERE twin = 1;
CREATE UNIQUE INDEX items_by_folded ON items (lower(id)) WHERE twin = 0;
UPDATE items SET offered = withheld WHERE withheld = 'unknown-at-tatum' AND signed IS NOT NULL;
UPDATE items SET accepted = '' WHERE accepted = 'content-changed';
CREATE INDEX items_by_offered ON items (lower(offered_withdrawal)) WHERE offered_withdrawal <> '';
UPDATE items SET told = '' WHERE since = 0 AND told LIKE 'late: %';
UPDATE items SET since = created WHERE since = 0;
`},
	// The last trouble with the network, beside a reason that says more.
	{tables: `
ALTER TABLE items ADD COLUMN trouble TEXT NOT NULL DEFAULT '';
`},
	// Whether a person has said, since a restore, which approval service is asked.
	{tables: `
ALTER TABLE restores ADD COLUMN service INTEGER NOT NULL DEFAULT 1;
`},
	// What was proven, in the form in which it is exported: it is not read from what
	// Tatum sent again. An item that an older version prepared has none.
	{tables: `
ALTER TABLE items ADD COLUMN prepared BLOB;
`},
	// Who has said, since the journal was restored, that an item is to be paid all
	// the same. What was not wanted or refused when the backup was made may have been
	// signed and paid since: it is watched as what was rejected is.
	{tables: `
ALTER TABLE items ADD COLUMN released TEXT NOT NULL DEFAULT '';
DROP INDEX items_outstanding;
CREATE INDEX items_outstanding ON items (seq) WHERE outstanding > 0 AND signed IS NULL;
`},
	// When an item that was failed went on, and what it was failed for, so that all
	// who were told that it is failed are told of that, too.
	{tables: `
ALTER TABLE items ADD COLUMN healed INTEGER NOT NULL DEFAULT 0; -- in seconds since 1970; 0: it was never failed, or is
ALTER TABLE items ADD COLUMN failed_for TEXT NOT NULL DEFAULT '';
`},
	// Since when there is somebody who hears of events: what came to an end before is
	// not told, unless that is asked for. Who was told of anything has heard of all.
	{tables: `
CREATE TABLE hearing (
	what  TEXT PRIMARY KEY,
	since INTEGER NOT NULL
) STRICT;
INSERT INTO hearing (what, since) SELECT 'events', max(updated) FROM items
WHERE EXISTS (SELECT 1 FROM items WHERE told <> '')
	OR EXISTS (SELECT 1 FROM alarms WHERE told <> 0) HAVING max(updated) IS NOT NULL;
`},
	// How far the long list of an address was read for an item, as JSON.
	{tables: `
CREATE TABLE readings (
	id      TEXT NOT NULL,
	address TEXT NOT NULL,
	state   TEXT NOT NULL,
	PRIMARY KEY (id, address)
) STRICT;
`},
	// What an item is withheld for besides what is shown: a failed rejection replaces
	// no other reason.
	{tables: `
ALTER TABLE items ADD COLUMN beside TEXT NOT NULL DEFAULT ''; -- codes, each between spaces
`},
	// A change of state that says since when does not write its row twice on SQLite.
	{sqlite: `
DROP TRIGGER items_since;
CREATE TRIGGER items_since AFTER UPDATE OF state ON items
WHEN OLD.state <> NEW.state AND (NEW.since <> NEW.updated OR NEW.tries <> 0 OR NEW.retry_at <> 0)
BEGIN UPDATE items SET since = NEW.updated, tries = 0, retry_at = 0 WHERE seq = NEW.seq; END;
`},
	// Tatum writes pending ids in small letters, and so does its record of one. What an
	// older version took in others stays on record, and no longer in the way of the
	// payment; that is held only where the other may have been signed.
	{tables: `
DROP INDEX items_by_folded;
UPDATE items SET twin = CASE WHEN id = lower(id) THEN 0 ELSE 1 END
	WHERE twin <> CASE WHEN id = lower(id) THEN 0 ELSE 1 END;
CREATE UNIQUE INDEX items_by_folded ON items (lower(id)) WHERE twin = 0;
CREATE INDEX items_by_spelling ON items (lower(id)) WHERE twin = 1;
INSERT INTO alarms (item, code, evidence, reason, raised, seen) SELECT id, 'same-id', id,
		'ALARM: an older version took this pending id in capital letters. The payment is ' || lower(id) ||
		': Tatum writes pending ids in small letters. This one is held, and never sent; ' ||
		'if it was exported, destroy that request and its result, and find out whether it was paid. ' ||
		'kms-online reject ends it, and drops nothing at Tatum', updated, updated
	FROM items WHERE twin = 1 AND state IN ('fetched', 'prepared', 'exported', 'signed', 'broadcast')
	ON CONFLICT (item, code) WHERE closed = 0
	DO UPDATE SET reason = excluded.reason, evidence = excluded.evidence, told = 0;
UPDATE items SET withheld = 'same-id', beside = beside ||
	CASE WHEN withheld IN ('', 'four-eye-refused') THEN '' ELSE ' ' || withheld || ' ' END
	WHERE twin = 1 AND state IN ('fetched', 'prepared', 'exported', 'signed')
	AND withheld <> 'same-id' AND beside NOT LIKE '% same-id %';
UPDATE items SET withheld = '' WHERE twin = 0 AND withheld = 'same-id' AND beside = ''
	AND NOT EXISTS (SELECT 1 FROM vetoes v WHERE v.id = items.id)
	AND NOT EXISTS (SELECT 1 FROM items o WHERE o.twin = 1 AND lower(o.id) = items.id
		AND (o.signed IS NOT NULL OR EXISTS (SELECT 1 FROM request_items r WHERE r.id = o.id)));
`},
	// What does not read, and so was never proven nor in a request, is replaced by what
	// Tatum lists later.
	{sqlite: `
DROP TRIGGER items_same;
CREATE TRIGGER items_same BEFORE UPDATE OF id, chain, network, pending, content, withdrawal ON items
WHEN NOT (NEW.id = OLD.id AND NEW.state = 'fetched' AND OLD.state IN ('fetched', 'refused') AND OLD.signed IS NULL
	AND OLD.request IS NULL AND COALESCE(length(OLD.prepared), 0) = 0
	AND NOT EXISTS (SELECT 1 FROM request_items r WHERE r.id = OLD.id))
BEGIN SELECT RAISE(ABORT, 'what Tatum asked for is never changed'); END;
`, postgres: `
CREATE OR REPLACE FUNCTION items_same() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
	IF NEW.id = OLD.id AND NEW.state = 'fetched' AND OLD.state IN ('fetched', 'refused') AND OLD.signed IS NULL
		AND OLD.request IS NULL AND COALESCE(length(OLD.prepared), 0) = 0
		AND NOT EXISTS (SELECT 1 FROM request_items r WHERE r.id = OLD.id)
	THEN RETURN NEW; END IF;
	RAISE EXCEPTION 'what Tatum asked for is never changed';
END $$;
`},
}

// fillTallyByCoin comes after the trigger, whose making locks the table.
const fillTallyByCoin = `INSERT INTO tally (state, chain, network, slot, items)
	SELECT state, chain, network, 0, count(*) FROM items WHERE state IN ('completed', 'rejected') GROUP BY state, chain, network;
`

// fillTally comes after the trigger, whose making locks the table.
const fillTally = `INSERT INTO tally (state, slot, items) SELECT state, 0, count(*) FROM items WHERE state IN ('completed', 'rejected') GROUP BY state;
`
