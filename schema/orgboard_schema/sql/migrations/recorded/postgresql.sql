CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

CREATE TABLE tag (
	tag_id BIGSERIAL NOT NULL, 
	name TEXT COLLATE "C" NOT NULL, 
	name_sha256 BYTEA NOT NULL, 
	CONSTRAINT pk_tag PRIMARY KEY (tag_id), 
	CONSTRAINT uq_tag_name_sha256 UNIQUE (name_sha256)
);

CREATE TABLE tag_set (
	tag_set_id BIGSERIAL NOT NULL, 
	sha256 BYTEA NOT NULL, 
	payload BYTEA NOT NULL, 
	CONSTRAINT pk_tag_set PRIMARY KEY (tag_set_id), 
	CONSTRAINT uq_tag_set_sha256 UNIQUE (sha256)
);

CREATE TABLE metadata (
	metadata_id BIGSERIAL NOT NULL, 
	sha256 BYTEA NOT NULL, 
	plugin TEXT NOT NULL, 
	content BYTEA NOT NULL, 
	display_name TEXT NOT NULL, 
	description TEXT NOT NULL, 
	data_class SMALLINT NOT NULL, 
	CONSTRAINT pk_metadata PRIMARY KEY (metadata_id), 
	CONSTRAINT uq_metadata_sha256 UNIQUE (sha256)
);

CREATE TABLE blob (
	sha256 BYTEA NOT NULL, 
	size BIGINT NOT NULL, 
	media_type TEXT NOT NULL, 
	data BYTEA, 
	uri TEXT, 
	CONSTRAINT pk_blob PRIMARY KEY (sha256)
);

CREATE TABLE team (
	team_id BIGSERIAL NOT NULL, 
	name TEXT COLLATE "C" NOT NULL, 
	created_at FLOAT(53) NOT NULL, 
	CONSTRAINT pk_team PRIMARY KEY (team_id), 
	CONSTRAINT uq_team_name UNIQUE (name)
);

CREATE TABLE project (
	project_id BIGSERIAL NOT NULL, 
	team_id BIGINT NOT NULL, 
	name TEXT COLLATE "C" NOT NULL, 
	visibility VARCHAR(16) DEFAULT 'team' NOT NULL, 
	created_at FLOAT(53) NOT NULL, 
	CONSTRAINT pk_project PRIMARY KEY (project_id), 
	CONSTRAINT fk_project_team_id FOREIGN KEY(team_id) REFERENCES team (team_id), 
	CONSTRAINT uq_project_team_id_name UNIQUE (team_id, name)
);

CREATE TABLE logdir (
	logdir_id BIGSERIAL NOT NULL, 
	project_id BIGINT NOT NULL, 
	path TEXT COLLATE "C" NOT NULL, 
	path_sha256 BYTEA NOT NULL, 
	seen_at FLOAT(53), 
	watch VARCHAR(16), 
	watch_reason TEXT, 
	CONSTRAINT pk_logdir PRIMARY KEY (logdir_id), 
	CONSTRAINT fk_logdir_project_id FOREIGN KEY(project_id) REFERENCES project (project_id), 
	CONSTRAINT uq_logdir_project_id_path_sha256 UNIQUE (project_id, path_sha256)
);

CREATE TABLE run (
	run_id BIGSERIAL NOT NULL, 
	uid VARCHAR(16) NOT NULL, 
	project_id BIGINT NOT NULL, 
	logdir_id BIGINT NOT NULL, 
	name TEXT COLLATE "C" NOT NULL, 
	name_sha256 BYTEA NOT NULL, 
	color INTEGER NOT NULL, 
	created_at FLOAT(53) NOT NULL, 
	revision BIGINT DEFAULT '0' NOT NULL, 
	touched_ms BIGINT DEFAULT '0' NOT NULL, 
	started FLOAT(53), 
	last_event FLOAT(53), 
	last_write FLOAT(53), 
	finished VARCHAR(16), 
	points BIGINT DEFAULT '0' NOT NULL, 
	gaps INTEGER DEFAULT '0' NOT NULL, 
	files INTEGER DEFAULT '0' NOT NULL, 
	attempts INTEGER DEFAULT '1' NOT NULL, 
	last_step BIGINT, 
	tag_set_id BIGINT, 
	hparams TEXT, 
	next_seq BIGINT DEFAULT '0' NOT NULL, 
	segments INTEGER DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_run PRIMARY KEY (run_id), 
	CONSTRAINT fk_run_logdir_id FOREIGN KEY(logdir_id) REFERENCES logdir (logdir_id), 
	CONSTRAINT fk_run_project_id FOREIGN KEY(project_id) REFERENCES project (project_id), 
	CONSTRAINT fk_run_tag_set_id FOREIGN KEY(tag_set_id) REFERENCES tag_set (tag_set_id), 
	CONSTRAINT uq_run_logdir_id_name_sha256 UNIQUE (logdir_id, name_sha256), 
	CONSTRAINT uq_run_uid UNIQUE (uid)
);

CREATE INDEX ix_run_project_id_color ON run (project_id, color);

CREATE INDEX ix_run_project_id_name_sha256 ON run (project_id, name_sha256);

CREATE INDEX ix_run_project_id_touched_ms ON run (project_id, touched_ms);

CREATE TABLE source_file (
	file_id BIGSERIAL NOT NULL, 
	run_id BIGINT NOT NULL, 
	name TEXT COLLATE "C" NOT NULL, 
	name_sha256 BYTEA NOT NULL, 
	generation INTEGER DEFAULT '0' NOT NULL, 
	head_sha256 BYTEA NOT NULL, 
	head_bytes INTEGER NOT NULL, 
	size BIGINT DEFAULT '0' NOT NULL, 
	mtime_ns BIGINT DEFAULT '0' NOT NULL, 
	"offset" BIGINT DEFAULT '0' NOT NULL, 
	pending TEXT, 
	records BIGINT DEFAULT '0' NOT NULL, 
	first_wall FLOAT(53), 
	last_wall FLOAT(53), 
	first_attempt INTEGER DEFAULT '0' NOT NULL, 
	last_attempt INTEGER DEFAULT '0' NOT NULL, 
	source_writer TEXT, 
	error TEXT DEFAULT '' NOT NULL, 
	CONSTRAINT pk_source_file PRIMARY KEY (file_id), 
	CONSTRAINT fk_source_file_run_id FOREIGN KEY(run_id) REFERENCES run (run_id), 
	CONSTRAINT uq_source_file_run_id_name_sha256 UNIQUE (run_id, name_sha256)
);

CREATE TABLE gap (
	run_id BIGINT NOT NULL, 
	file_id BIGINT NOT NULL, 
	generation INTEGER NOT NULL, 
	"offset" BIGINT NOT NULL, 
	length BIGINT NOT NULL, 
	reason TEXT NOT NULL, 
	found_at FLOAT(53) NOT NULL, 
	CONSTRAINT pk_gap PRIMARY KEY (run_id, file_id, generation, "offset"), 
	CONSTRAINT fk_gap_file_id FOREIGN KEY(file_id) REFERENCES source_file (file_id), 
	CONSTRAINT fk_gap_run_id FOREIGN KEY(run_id) REFERENCES run (run_id)
);

CREATE TABLE run_head (
	run_id BIGINT NOT NULL, 
	payload BYTEA NOT NULL, 
	CONSTRAINT pk_run_head PRIMARY KEY (run_id), 
	CONSTRAINT fk_run_head_run_id FOREIGN KEY(run_id) REFERENCES run (run_id)
);

CREATE TABLE restart (
	run_id BIGINT NOT NULL, 
	attempt INTEGER NOT NULL, 
	tag_id BIGINT NOT NULL, 
	kind SMALLINT NOT NULL, 
	step BIGINT NOT NULL, 
	CONSTRAINT pk_restart PRIMARY KEY (run_id, attempt, tag_id, kind), 
	CONSTRAINT fk_restart_run_id FOREIGN KEY(run_id) REFERENCES run (run_id)
);

CREATE TABLE segment (
	run_id BIGINT NOT NULL, 
	seq BIGINT NOT NULL, 
	attempt INTEGER NOT NULL, 
	n INTEGER NOT NULL, 
	payload BYTEA NOT NULL, 
	CONSTRAINT pk_segment PRIMARY KEY (run_id, seq), 
	CONSTRAINT fk_segment_run_id FOREIGN KEY(run_id) REFERENCES run (run_id)
);

CREATE TABLE block (
	run_id BIGINT NOT NULL, 
	tag_id BIGINT NOT NULL, 
	kind SMALLINT NOT NULL, 
	level SMALLINT NOT NULL, 
	seq BIGINT NOT NULL, 
	attempt INTEGER NOT NULL, 
	n INTEGER NOT NULL, 
	step_min BIGINT NOT NULL, 
	step_max BIGINT NOT NULL, 
	wall_min FLOAT(53), 
	wall_max FLOAT(53), 
	value_first FLOAT(53), 
	value_last FLOAT(53), 
	value_min FLOAT(53), 
	value_max FLOAT(53), 
	value_sum FLOAT(53), 
	non_finite INTEGER DEFAULT '0' NOT NULL, 
	payload BYTEA NOT NULL, 
	CONSTRAINT pk_block PRIMARY KEY (run_id, tag_id, kind, level, seq), 
	CONSTRAINT fk_block_run_id FOREIGN KEY(run_id) REFERENCES run (run_id)
);

CREATE TABLE blob_ref (
	run_id BIGINT NOT NULL, 
	sha256 BYTEA NOT NULL, 
	CONSTRAINT pk_blob_ref PRIMARY KEY (run_id, sha256), 
	CONSTRAINT fk_blob_ref_run_id FOREIGN KEY(run_id) REFERENCES run (run_id), 
	CONSTRAINT fk_blob_ref_sha256 FOREIGN KEY(sha256) REFERENCES blob (sha256)
);

ALTER TABLE block ALTER COLUMN payload SET STORAGE EXTERNAL;

ALTER TABLE segment ALTER COLUMN payload SET STORAGE EXTERNAL;

ALTER TABLE run_head ALTER COLUMN payload SET STORAGE EXTERNAL;

ALTER TABLE blob ALTER COLUMN data SET STORAGE EXTERNAL;

ALTER TABLE run ADD COLUMN standing SMALLINT DEFAULT '0' NOT NULL;

ALTER TABLE run ADD COLUMN shadow_of BIGINT;

ALTER TABLE run ADD COLUMN archived_at FLOAT(53);

ALTER TABLE run ADD COLUMN gone_at FLOAT(53);

ALTER TABLE run ADD COLUMN opened SMALLINT DEFAULT '0' NOT NULL;

CREATE INDEX ix_run_standing ON run (standing) WHERE standing != 0;

ALTER TABLE source_file ADD COLUMN encoding VARCHAR(8) DEFAULT '' NOT NULL;

ALTER TABLE source_file ADD COLUMN read_at FLOAT(53);

ALTER TABLE source_file ADD COLUMN file_version FLOAT(53);

CREATE TABLE lease (
	logdir_id BIGINT NOT NULL, 
	owner VARCHAR(32) NOT NULL, 
	host TEXT NOT NULL, 
	pid INTEGER NOT NULL, 
	since FLOAT(53) NOT NULL, 
	until FLOAT(53) NOT NULL, 
	watch VARCHAR(16) DEFAULT '' NOT NULL, 
	watch_reason TEXT, 
	runs BIGINT DEFAULT '0' NOT NULL, 
	files BIGINT DEFAULT '0' NOT NULL, 
	unreadable_files BIGINT DEFAULT '0' NOT NULL, 
	pending_bytes BIGINT DEFAULT '0' NOT NULL, 
	lag_s FLOAT(53) DEFAULT '0' NOT NULL, 
	points BIGINT DEFAULT '0' NOT NULL, 
	bytes BIGINT DEFAULT '0' NOT NULL, 
	points_per_s FLOAT(53) DEFAULT '0' NOT NULL, 
	bytes_per_s FLOAT(53) DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_lease PRIMARY KEY (logdir_id, owner), 
	CONSTRAINT fk_lease_logdir_id FOREIGN KEY(logdir_id) REFERENCES logdir (logdir_id)
);

ALTER TABLE run ADD COLUMN display_name TEXT COLLATE "C";

ALTER TABLE run ADD COLUMN starred SMALLINT DEFAULT '0' NOT NULL;

ALTER TABLE run ADD COLUMN chosen_color VARCHAR(7);

ALTER TABLE run ADD COLUMN edits BIGINT DEFAULT '0' NOT NULL;

ALTER TABLE run ADD COLUMN host TEXT COLLATE "C";

ALTER TABLE run ADD COLUMN username TEXT COLLATE "C";

CREATE TABLE run_tag (
	uid VARCHAR(16) NOT NULL, 
	name TEXT COLLATE "C" NOT NULL, 
	CONSTRAINT pk_run_tag PRIMARY KEY (uid, name), 
	CONSTRAINT fk_run_tag_uid FOREIGN KEY(uid) REFERENCES run (uid) DEFERRABLE INITIALLY DEFERRED
);

CREATE INDEX ix_run_tag_name ON run_tag (name);

CREATE TABLE run_note (
	uid VARCHAR(16) NOT NULL, 
	text TEXT NOT NULL, 
	author TEXT NOT NULL, 
	written_at FLOAT(53) NOT NULL, 
	CONSTRAINT pk_run_note PRIMARY KEY (uid), 
	CONSTRAINT fk_run_note_uid FOREIGN KEY(uid) REFERENCES run (uid) DEFERRABLE INITIALLY DEFERRED
);

CREATE TABLE annotation (
	annotation_id VARCHAR(16) NOT NULL, 
	project_id BIGINT NOT NULL, 
	uid VARCHAR(16), 
	step BIGINT, 
	wall FLOAT(53), 
	text TEXT NOT NULL, 
	author TEXT NOT NULL, 
	written_at FLOAT(53) NOT NULL, 
	CONSTRAINT pk_annotation PRIMARY KEY (annotation_id), 
	CONSTRAINT fk_annotation_project_id FOREIGN KEY(project_id) REFERENCES project (project_id), 
	CONSTRAINT fk_annotation_uid FOREIGN KEY(uid) REFERENCES run (uid) DEFERRABLE INITIALLY DEFERRED
);

CREATE INDEX ix_annotation_project_id_uid ON annotation (project_id, uid);

CREATE TABLE saved_view (
	view_id VARCHAR(16) NOT NULL, 
	project_id BIGINT NOT NULL, 
	page VARCHAR(16) NOT NULL, 
	name TEXT COLLATE "C", 
	owner TEXT NOT NULL, 
	for_team SMALLINT NOT NULL, 
	is_default SMALLINT DEFAULT '0' NOT NULL, 
	state TEXT NOT NULL, 
	created_at FLOAT(53) NOT NULL, 
	changed_at FLOAT(53) NOT NULL, 
	CONSTRAINT pk_saved_view PRIMARY KEY (view_id), 
	CONSTRAINT fk_saved_view_project_id FOREIGN KEY(project_id) REFERENCES project (project_id)
);

CREATE INDEX ix_saved_view_project_id ON saved_view (project_id);

CREATE UNIQUE INDEX ix_saved_view_default ON saved_view (project_id) WHERE is_default = 1;

CREATE TABLE account (
	account_id BIGSERIAL NOT NULL, 
	name TEXT COLLATE "C" NOT NULL, 
	name_key TEXT COLLATE "C" NOT NULL, 
	kind VARCHAR(16) NOT NULL, 
	is_admin SMALLINT DEFAULT '0' NOT NULL, 
	created_at FLOAT(53) NOT NULL, 
	disabled_at FLOAT(53), 
	CONSTRAINT pk_account PRIMARY KEY (account_id), 
	CONSTRAINT uq_account_name_key UNIQUE (name_key)
);

CREATE TABLE password (
	account_id BIGINT NOT NULL, 
	hash TEXT NOT NULL, 
	changed_at FLOAT(53) NOT NULL, 
	CONSTRAINT pk_password PRIMARY KEY (account_id), 
	CONSTRAINT fk_password_account_id FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE TABLE session (
	session_id VARCHAR(16) NOT NULL, 
	secret_sha256 BYTEA NOT NULL, 
	account_id BIGINT NOT NULL, 
	created_at FLOAT(53) NOT NULL, 
	used_at FLOAT(53) NOT NULL, 
	proved_at FLOAT(53) NOT NULL, 
	address TEXT NOT NULL, 
	agent TEXT NOT NULL, 
	CONSTRAINT pk_session PRIMARY KEY (session_id), 
	CONSTRAINT fk_session_account_id FOREIGN KEY(account_id) REFERENCES account (account_id), 
	CONSTRAINT uq_session_secret_sha256 UNIQUE (secret_sha256)
);

CREATE INDEX ix_session_account_id ON session (account_id);

CREATE TABLE one_time_link (
	secret_sha256 BYTEA NOT NULL, 
	purpose VARCHAR(16) NOT NULL, 
	account_id BIGINT, 
	team_id BIGINT, 
	role SMALLINT, 
	made_by BIGINT, 
	created_at FLOAT(53) NOT NULL, 
	expires_at FLOAT(53) NOT NULL, 
	used_at FLOAT(53), 
	CONSTRAINT pk_one_time_link PRIMARY KEY (secret_sha256), 
	CONSTRAINT fk_one_time_link_account_id FOREIGN KEY(account_id) REFERENCES account (account_id), 
	CONSTRAINT fk_one_time_link_team_id FOREIGN KEY(team_id) REFERENCES team (team_id), 
	CONSTRAINT fk_one_time_link_made_by FOREIGN KEY(made_by) REFERENCES account (account_id)
);

CREATE TABLE team_member (
	team_id BIGINT NOT NULL, 
	account_id BIGINT NOT NULL, 
	role SMALLINT NOT NULL, 
	since FLOAT(53) NOT NULL, 
	CONSTRAINT pk_team_member PRIMARY KEY (team_id, account_id), 
	CONSTRAINT fk_team_member_team_id FOREIGN KEY(team_id) REFERENCES team (team_id), 
	CONSTRAINT fk_team_member_account_id FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE INDEX ix_team_member_account_id ON team_member (account_id);

CREATE TABLE project_grant (
	project_id BIGINT NOT NULL, 
	account_id BIGINT NOT NULL, 
	role SMALLINT NOT NULL, 
	since FLOAT(53) NOT NULL, 
	CONSTRAINT pk_project_grant PRIMARY KEY (project_id, account_id), 
	CONSTRAINT fk_project_grant_project_id FOREIGN KEY(project_id) REFERENCES project (project_id), 
	CONSTRAINT fk_project_grant_account_id FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE INDEX ix_project_grant_account_id ON project_grant (account_id);

CREATE TABLE token (
	token_id VARCHAR(16) NOT NULL, 
	secret_sha256 BYTEA NOT NULL, 
	account_id BIGINT NOT NULL, 
	name TEXT NOT NULL, 
	scope VARCHAR(16) NOT NULL, 
	team_id BIGINT, 
	project_id BIGINT, 
	created_at FLOAT(53) NOT NULL, 
	expires_at FLOAT(53) NOT NULL, 
	used_at FLOAT(53), 
	revoked_at FLOAT(53), 
	CONSTRAINT pk_token PRIMARY KEY (token_id), 
	CONSTRAINT fk_token_account_id FOREIGN KEY(account_id) REFERENCES account (account_id), 
	CONSTRAINT fk_token_team_id FOREIGN KEY(team_id) REFERENCES team (team_id), 
	CONSTRAINT fk_token_project_id FOREIGN KEY(project_id) REFERENCES project (project_id), 
	CONSTRAINT uq_token_secret_sha256 UNIQUE (secret_sha256)
);

CREATE INDEX ix_token_account_id ON token (account_id);

CREATE TABLE share (
	share_id VARCHAR(16) NOT NULL, 
	secret_sha256 BYTEA NOT NULL, 
	project_id BIGINT NOT NULL, 
	path TEXT NOT NULL, 
	uids TEXT, 
	title TEXT NOT NULL, 
	made_by BIGINT, 
	created_at FLOAT(53) NOT NULL, 
	expires_at FLOAT(53) NOT NULL, 
	revoked_at FLOAT(53), 
	used_at FLOAT(53), 
	uses INTEGER DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_share PRIMARY KEY (share_id), 
	CONSTRAINT fk_share_project_id FOREIGN KEY(project_id) REFERENCES project (project_id), 
	CONSTRAINT fk_share_made_by FOREIGN KEY(made_by) REFERENCES account (account_id), 
	CONSTRAINT uq_share_secret_sha256 UNIQUE (secret_sha256)
);

CREATE INDEX ix_share_project_id ON share (project_id);

CREATE TABLE audit (
	audit_id BIGSERIAL NOT NULL, 
	at FLOAT(53) NOT NULL, 
	account_id BIGINT, 
	actor TEXT NOT NULL, 
	via VARCHAR(16), 
	address TEXT NOT NULL, 
	action VARCHAR(32) NOT NULL, 
	subject TEXT NOT NULL, 
	outcome VARCHAR(16) NOT NULL, 
	before TEXT, 
	after TEXT, 
	CONSTRAINT pk_audit PRIMARY KEY (audit_id), 
	CONSTRAINT fk_audit_account_id FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE INDEX ix_audit_at ON audit (at);

CREATE TABLE sign_in_delay (
	key_sha256 BYTEA NOT NULL, 
	failures INTEGER NOT NULL, 
	last_at FLOAT(53) NOT NULL, 
	CONSTRAINT pk_sign_in_delay PRIMARY KEY (key_sha256)
);

CREATE TABLE logdir_rule (
	rule_id BIGSERIAL NOT NULL, 
	path TEXT COLLATE "C" NOT NULL, 
	path_sha256 BYTEA NOT NULL, 
	project_id BIGINT NOT NULL, 
	made_by BIGINT, 
	created_at FLOAT(53) NOT NULL, 
	CONSTRAINT pk_logdir_rule PRIMARY KEY (rule_id), 
	CONSTRAINT fk_logdir_rule_project_id FOREIGN KEY(project_id) REFERENCES project (project_id), 
	CONSTRAINT fk_logdir_rule_made_by FOREIGN KEY(made_by) REFERENCES account (account_id), 
	CONSTRAINT uq_logdir_rule_path_sha256 UNIQUE (path_sha256)
);

CREATE FUNCTION audit_stays() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the audit log is only appended to'; END $$;

CREATE TRIGGER audit_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_stays();

CREATE TABLE second_factor (
	account_id BIGINT NOT NULL, 
	secret BYTEA NOT NULL, 
	made_at FLOAT(53) NOT NULL, 
	confirmed_at FLOAT(53), 
	last_step BIGINT, 
	CONSTRAINT pk_second_factor PRIMARY KEY (account_id), 
	CONSTRAINT fk_second_factor_account_id FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE TABLE recovery_code (
	code_sha256 BYTEA NOT NULL, 
	account_id BIGINT NOT NULL, 
	used_at FLOAT(53), 
	CONSTRAINT pk_recovery_code PRIMARY KEY (code_sha256), 
	CONSTRAINT fk_recovery_code_account_id FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE INDEX ix_recovery_code_account_id ON recovery_code (account_id);

ALTER TABLE session ADD COLUMN way VARCHAR(16) DEFAULT 'password' NOT NULL;

ALTER TABLE team_member ADD COLUMN by_group SMALLINT DEFAULT '0' NOT NULL;

ALTER TABLE account ADD COLUMN admin_by_group SMALLINT DEFAULT '0' NOT NULL;

CREATE TABLE identity (
	identity_sha256 BYTEA NOT NULL, 
	issuer TEXT NOT NULL, 
	subject TEXT NOT NULL, 
	account_id BIGINT NOT NULL, 
	email TEXT NOT NULL, 
	created_at FLOAT(53) NOT NULL, 
	used_at FLOAT(53), 
	CONSTRAINT pk_identity PRIMARY KEY (identity_sha256), 
	CONSTRAINT fk_identity_account_id FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE INDEX ix_identity_account_id ON identity (account_id);

CREATE TABLE identity_attempt (
	state_sha256 BYTEA NOT NULL, 
	browser_sha256 BYTEA NOT NULL, 
	nonce TEXT NOT NULL, 
	verifier TEXT NOT NULL, 
	next TEXT NOT NULL, 
	account_id BIGINT, 
	created_at FLOAT(53) NOT NULL, 
	CONSTRAINT pk_identity_attempt PRIMARY KEY (state_sha256), 
	CONSTRAINT fk_identity_attempt_account_id FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE TABLE group_rule (
	rule_id BIGSERIAL NOT NULL, 
	group_name TEXT COLLATE "C" NOT NULL, 
	team_id BIGINT, 
	role SMALLINT NOT NULL, 
	made_by BIGINT, 
	created_at FLOAT(53) NOT NULL, 
	CONSTRAINT pk_group_rule PRIMARY KEY (rule_id), 
	CONSTRAINT fk_group_rule_team_id FOREIGN KEY(team_id) REFERENCES team (team_id), 
	CONSTRAINT fk_group_rule_made_by FOREIGN KEY(made_by) REFERENCES account (account_id), 
	CONSTRAINT uq_group_rule_group_name_team_id UNIQUE (group_name, team_id)
);

CREATE TABLE run_note_before (
	uid VARCHAR(16) NOT NULL, 
	version INTEGER NOT NULL, 
	text TEXT NOT NULL, 
	author TEXT NOT NULL, 
	written_at FLOAT(53) NOT NULL, 
	CONSTRAINT pk_run_note_before PRIMARY KEY (uid, version), 
	CONSTRAINT fk_run_note_before_uid FOREIGN KEY(uid) REFERENCES run (uid) DEFERRABLE INITIALLY DEFERRED
);

CREATE TABLE comment (
	comment_id VARCHAR(16) NOT NULL, 
	uid VARCHAR(16), 
	view_id VARCHAR(16), 
	answers VARCHAR(16), 
	text TEXT NOT NULL, 
	account_id BIGINT, 
	author TEXT NOT NULL, 
	written_at FLOAT(53) NOT NULL, 
	changed_at FLOAT(53), 
	removed_at FLOAT(53), 
	CONSTRAINT pk_comment PRIMARY KEY (comment_id), 
	CONSTRAINT fk_comment_uid FOREIGN KEY(uid) REFERENCES run (uid) DEFERRABLE INITIALLY DEFERRED, 
	CONSTRAINT fk_comment_view_id FOREIGN KEY(view_id) REFERENCES saved_view (view_id), 
	CONSTRAINT fk_comment_answers FOREIGN KEY(answers) REFERENCES comment (comment_id), 
	CONSTRAINT fk_comment_account_id FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE INDEX ix_comment_uid ON comment (uid);

CREATE INDEX ix_comment_view_id ON comment (view_id);

CREATE INDEX ix_comment_answers ON comment (answers);

CREATE TABLE mention (
	comment_id VARCHAR(16) NOT NULL, 
	account_id BIGINT NOT NULL, 
	seen_at FLOAT(53), 
	CONSTRAINT pk_mention PRIMARY KEY (comment_id, account_id), 
	CONSTRAINT fk_mention_comment_id FOREIGN KEY(comment_id) REFERENCES comment (comment_id), 
	CONSTRAINT fk_mention_account_id FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE INDEX ix_mention_account_id ON mention (account_id);

CREATE TABLE metric (
	metric_id BIGSERIAL NOT NULL, 
	name TEXT COLLATE "C" NOT NULL, 
	unit TEXT NOT NULL, 
	direction VARCHAR(8) NOT NULL, 
	description TEXT NOT NULL, 
	author TEXT NOT NULL, 
	changed_at FLOAT(53) NOT NULL, 
	CONSTRAINT pk_metric PRIMARY KEY (metric_id), 
	CONSTRAINT uq_metric_name UNIQUE (name)
);

CREATE TABLE metric_alias (
	tag TEXT COLLATE "C" NOT NULL, 
	tag_sha256 BYTEA NOT NULL, 
	metric_id BIGINT NOT NULL, 
	scale FLOAT(53) DEFAULT '1' NOT NULL, 
	CONSTRAINT pk_metric_alias PRIMARY KEY (tag_sha256), 
	CONSTRAINT fk_metric_alias_metric_id FOREIGN KEY(metric_id) REFERENCES metric (metric_id)
);

CREATE INDEX ix_metric_alias_metric_id ON metric_alias (metric_id);

ALTER TABLE run ADD COLUMN settings_of BYTEA;

CREATE INDEX ix_run_settings_of ON run (logdir_id, settings_of) WHERE settings_of IS NOT NULL;

CREATE TABLE thinned (
	run_id BIGINT NOT NULL, 
	tag_id BIGINT NOT NULL, 
	kind SMALLINT NOT NULL, 
	attempt INTEGER NOT NULL, 
	seq BIGINT NOT NULL, 
	at FLOAT(53) NOT NULL, 
	keep_every INTEGER NOT NULL, 
	after_days FLOAT(53) NOT NULL, 
	settled SMALLINT DEFAULT '0' NOT NULL, 
	n INTEGER NOT NULL, 
	payload BYTEA NOT NULL, 
	CONSTRAINT pk_thinned PRIMARY KEY (run_id, tag_id, kind, attempt, seq), 
	CONSTRAINT fk_thinned_run_id FOREIGN KEY(run_id) REFERENCES run (run_id)
);

ALTER TABLE thinned ALTER COLUMN payload SET STORAGE EXTERNAL;

CREATE INDEX ix_blob_ref_sha256 ON blob_ref (sha256);

CREATE INDEX ix_run_note_written_at ON run_note (written_at);

CREATE INDEX ix_comment_written_at ON comment (written_at);

CREATE TABLE watch (
	account_id BIGINT NOT NULL, 
	uid VARCHAR(16) NOT NULL, 
	since FLOAT(53) NOT NULL, 
	seen_standing VARCHAR(64) NOT NULL, 
	standing_seen_at FLOAT(53), 
	seen_gaps INTEGER NOT NULL, 
	seen_gap_at FLOAT(53) NOT NULL, 
	gaps_seen_at FLOAT(53), 
	CONSTRAINT pk_watch PRIMARY KEY (account_id, uid), 
	CONSTRAINT fk_watch_uid FOREIGN KEY(uid) REFERENCES run (uid) DEFERRABLE INITIALLY DEFERRED, 
	CONSTRAINT fk_watch_account_id FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE INDEX ix_watch_uid ON watch (uid);

CREATE TABLE watch_seen (
	comment_id VARCHAR(16) NOT NULL, 
	account_id BIGINT NOT NULL, 
	seen_at FLOAT(53) NOT NULL, 
	CONSTRAINT pk_watch_seen PRIMARY KEY (comment_id, account_id), 
	CONSTRAINT fk_watch_seen_comment_id FOREIGN KEY(comment_id) REFERENCES comment (comment_id) ON DELETE CASCADE, 
	CONSTRAINT fk_watch_seen_account_id FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE INDEX ix_watch_seen_account_id ON watch_seen (account_id);

CREATE TABLE graph_upload (
	upload_id VARCHAR(16) NOT NULL, 
	project_id BIGINT NOT NULL, 
	name TEXT NOT NULL, 
	kind VARCHAR(16) NOT NULL, 
	file_size BIGINT NOT NULL, 
	sha256 BYTEA NOT NULL, 
	size BIGINT NOT NULL, 
	payload BYTEA NOT NULL, 
	account_id BIGINT, 
	author TEXT NOT NULL, 
	uploaded_at FLOAT(53) NOT NULL, 
	CONSTRAINT pk_graph_upload PRIMARY KEY (upload_id), 
	CONSTRAINT fk_graph_upload_project_id FOREIGN KEY(project_id) REFERENCES project (project_id), 
	CONSTRAINT fk_graph_upload_account_id FOREIGN KEY(account_id) REFERENCES account (account_id)
);

ALTER TABLE graph_upload ALTER COLUMN payload SET STORAGE EXTERNAL;

CREATE INDEX ix_graph_upload_project_id ON graph_upload (project_id);

CREATE TABLE embed (
	embed_id VARCHAR(16) NOT NULL, 
	secret_sha256 BYTEA NOT NULL, 
	project_id BIGINT NOT NULL, 
	tag TEXT NOT NULL, 
	state TEXT NOT NULL, 
	uids TEXT, 
	title TEXT NOT NULL, 
	origins TEXT NOT NULL, 
	account_id BIGINT, 
	created_at FLOAT(53) NOT NULL, 
	expires_at FLOAT(53) NOT NULL, 
	revoked_at FLOAT(53), 
	used_at FLOAT(53), 
	CONSTRAINT pk_embed PRIMARY KEY (embed_id), 
	CONSTRAINT fk_embed_project_id FOREIGN KEY(project_id) REFERENCES project (project_id), 
	CONSTRAINT fk_embed_account_id FOREIGN KEY(account_id) REFERENCES account (account_id), 
	CONSTRAINT uq_embed_secret_sha256 UNIQUE (secret_sha256)
);

CREATE INDEX ix_embed_project_id ON embed (project_id);

CREATE FUNCTION asking() RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT coalesce(nullif(current_setting('orgboard.viewer', true), ''), '{}')::jsonb
$$;

CREATE FUNCTION seen_projects() RETURNS bigint[] LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT coalesce(array_agg(p.project_id), '{}')
    FROM project p, asking() a
    WHERE (a ->> 'team' IS NULL OR p.team_id = (a ->> 'team')::bigint)
      AND (a ->> 'project' IS NULL OR p.project_id = (a ->> 'project')::bigint)
      AND (
        coalesce((a ->> 'all')::boolean, false)
        OR (p.visibility = 'organisation' AND a ->> 'account' IS NOT NULL)
        OR (p.visibility IN ('team', 'organisation') AND p.team_id IN (
            SELECT m.team_id FROM team_member m
            WHERE m.account_id = (a ->> 'account')::bigint AND m.role >= 1))
        OR p.project_id IN (
            SELECT g.project_id FROM project_grant g
            WHERE g.account_id = (a ->> 'account')::bigint AND g.role >= 1)
      )
$$;

CREATE FUNCTION seen_uids() RETURNS text[] LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN jsonb_typeof(asking() -> 'uids') = 'array'
        THEN ARRAY(SELECT jsonb_array_elements_text(asking() -> 'uids')) END
$$;

DO $$ BEGIN
    EXECUTE 'ALTER FUNCTION seen_projects() SET search_path = '
        || quote_ident(current_schema()) || ', pg_temp';
END $$;

ALTER TABLE project ENABLE ROW LEVEL SECURITY;

CREATE POLICY seen ON project USING (project_id = ANY ((SELECT seen_projects())::bigint[]));

ALTER TABLE logdir ENABLE ROW LEVEL SECURITY;

CREATE POLICY seen ON logdir USING (project_id = ANY ((SELECT seen_projects())::bigint[]) OR EXISTS (SELECT 1 FROM run r WHERE r.logdir_id = logdir.logdir_id));

ALTER TABLE run ENABLE ROW LEVEL SECURITY;

CREATE POLICY seen ON run USING (project_id = ANY ((SELECT seen_projects())::bigint[]) AND ((SELECT seen_uids()) IS NULL OR uid = ANY ((SELECT seen_uids())::text[])));

ALTER TABLE annotation ENABLE ROW LEVEL SECURITY;

CREATE POLICY seen ON annotation USING (project_id = ANY ((SELECT seen_projects())::bigint[]));

ALTER TABLE saved_view ENABLE ROW LEVEL SECURITY;

CREATE POLICY seen ON saved_view USING (project_id = ANY ((SELECT seen_projects())::bigint[]));

ALTER TABLE graph_upload ENABLE ROW LEVEL SECURITY;

CREATE POLICY seen ON graph_upload USING (project_id = ANY ((SELECT seen_projects())::bigint[]) AND (SELECT seen_uids()) IS NULL);

ALTER TABLE watch ENABLE ROW LEVEL SECURITY;

CREATE POLICY seen ON watch USING ((account_id = ((SELECT asking()) ->> 'account')::bigint OR ((SELECT asking()) ->> 'account' IS NOT NULL AND (SELECT asking()) ->> 'all' IS NOT NULL)) AND EXISTS (SELECT 1 FROM run r WHERE r.uid = watch.uid));

ALTER TABLE watch_seen ENABLE ROW LEVEL SECURITY;

CREATE POLICY seen ON watch_seen USING (account_id = ((SELECT asking()) ->> 'account')::bigint OR ((SELECT asking()) ->> 'account' IS NOT NULL AND (SELECT asking()) ->> 'all' IS NOT NULL));

ALTER TABLE comment ENABLE ROW LEVEL SECURITY;

CREATE POLICY seen ON comment USING (EXISTS (SELECT 1 FROM run r WHERE r.uid = comment.uid) OR EXISTS (SELECT 1 FROM saved_view v WHERE v.view_id = comment.view_id));

ALTER TABLE run_note ENABLE ROW LEVEL SECURITY;

CREATE POLICY seen ON run_note USING (EXISTS (SELECT 1 FROM run r WHERE r.uid = run_note.uid));

ALTER TABLE run_note_before ENABLE ROW LEVEL SECURITY;

CREATE POLICY seen ON run_note_before USING (EXISTS (SELECT 1 FROM run r WHERE r.uid = run_note_before.uid));

ALTER TABLE run_tag ENABLE ROW LEVEL SECURITY;

CREATE POLICY seen ON run_tag USING (EXISTS (SELECT 1 FROM run r WHERE r.uid = run_tag.uid));

ALTER TABLE source_file ENABLE ROW LEVEL SECURITY;

CREATE POLICY seen ON source_file USING (EXISTS (SELECT 1 FROM run r WHERE r.run_id = source_file.run_id));

ALTER TABLE gap ENABLE ROW LEVEL SECURITY;

CREATE POLICY seen ON gap USING (EXISTS (SELECT 1 FROM run r WHERE r.run_id = gap.run_id));

ALTER TABLE thinned ENABLE ROW LEVEL SECURITY;

CREATE POLICY seen ON thinned USING (EXISTS (SELECT 1 FROM run r WHERE r.run_id = thinned.run_id));

CREATE POLICY made ON project FOR INSERT WITH CHECK (true);

INSERT INTO alembic_version (version_num) VALUES ('v0_6')
