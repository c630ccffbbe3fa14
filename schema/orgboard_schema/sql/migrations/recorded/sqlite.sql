CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

CREATE TABLE tag (
	tag_id INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	name_sha256 BLOB NOT NULL, 
	CONSTRAINT pk_tag PRIMARY KEY (tag_id), 
	CONSTRAINT uq_tag_name_sha256 UNIQUE (name_sha256)
);

CREATE TABLE tag_set (
	tag_set_id INTEGER NOT NULL, 
	sha256 BLOB NOT NULL, 
	payload BLOB NOT NULL, 
	CONSTRAINT pk_tag_set PRIMARY KEY (tag_set_id), 
	CONSTRAINT uq_tag_set_sha256 UNIQUE (sha256)
);

CREATE TABLE metadata (
	metadata_id INTEGER NOT NULL, 
	sha256 BLOB NOT NULL, 
	plugin TEXT NOT NULL, 
	content BLOB NOT NULL, 
	display_name TEXT NOT NULL, 
	description TEXT NOT NULL, 
	data_class SMALLINT NOT NULL, 
	CONSTRAINT pk_metadata PRIMARY KEY (metadata_id), 
	CONSTRAINT uq_metadata_sha256 UNIQUE (sha256)
);

CREATE TABLE blob (
	sha256 BLOB NOT NULL, 
	size BIGINT NOT NULL, 
	media_type TEXT NOT NULL, 
	data BLOB, 
	uri TEXT, 
	CONSTRAINT pk_blob PRIMARY KEY (sha256)
);

CREATE TABLE team (
	team_id INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	created_at FLOAT NOT NULL, 
	CONSTRAINT pk_team PRIMARY KEY (team_id), 
	CONSTRAINT uq_team_name UNIQUE (name)
);

CREATE TABLE project (
	project_id INTEGER NOT NULL, 
	team_id INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	visibility VARCHAR(16) DEFAULT 'team' NOT NULL, 
	created_at FLOAT NOT NULL, 
	CONSTRAINT pk_project PRIMARY KEY (project_id), 
	CONSTRAINT fk_project_team_id FOREIGN KEY(team_id) REFERENCES team (team_id), 
	CONSTRAINT uq_project_team_id_name UNIQUE (team_id, name)
);

CREATE TABLE logdir (
	logdir_id INTEGER NOT NULL, 
	project_id INTEGER NOT NULL, 
	path TEXT NOT NULL, 
	path_sha256 BLOB NOT NULL, 
	seen_at FLOAT, 
	watch VARCHAR(16), 
	watch_reason TEXT, 
	CONSTRAINT pk_logdir PRIMARY KEY (logdir_id), 
	CONSTRAINT fk_logdir_project_id FOREIGN KEY(project_id) REFERENCES project (project_id), 
	CONSTRAINT uq_logdir_project_id_path_sha256 UNIQUE (project_id, path_sha256)
);

CREATE TABLE run (
	run_id INTEGER NOT NULL, 
	uid VARCHAR(16) NOT NULL, 
	project_id INTEGER NOT NULL, 
	logdir_id INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	name_sha256 BLOB NOT NULL, 
	color INTEGER NOT NULL, 
	created_at FLOAT NOT NULL, 
	revision BIGINT DEFAULT '0' NOT NULL, 
	touched_ms BIGINT DEFAULT '0' NOT NULL, 
	started FLOAT, 
	last_event FLOAT, 
	last_write FLOAT, 
	finished VARCHAR(16), 
	points BIGINT DEFAULT '0' NOT NULL, 
	gaps INTEGER DEFAULT '0' NOT NULL, 
	files INTEGER DEFAULT '0' NOT NULL, 
	attempts INTEGER DEFAULT '1' NOT NULL, 
	last_step BIGINT, 
	tag_set_id INTEGER, 
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
	file_id INTEGER NOT NULL, 
	run_id INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	name_sha256 BLOB NOT NULL, 
	generation INTEGER DEFAULT '0' NOT NULL, 
	head_sha256 BLOB NOT NULL, 
	head_bytes INTEGER NOT NULL, 
	size BIGINT DEFAULT '0' NOT NULL, 
	mtime_ns BIGINT DEFAULT '0' NOT NULL, 
	"offset" BIGINT DEFAULT '0' NOT NULL, 
	pending TEXT, 
	records BIGINT DEFAULT '0' NOT NULL, 
	first_wall FLOAT, 
	last_wall FLOAT, 
	first_attempt INTEGER DEFAULT '0' NOT NULL, 
	last_attempt INTEGER DEFAULT '0' NOT NULL, 
	source_writer TEXT, 
	error TEXT DEFAULT '' NOT NULL, 
	CONSTRAINT pk_source_file PRIMARY KEY (file_id), 
	CONSTRAINT fk_source_file_run_id FOREIGN KEY(run_id) REFERENCES run (run_id), 
	CONSTRAINT uq_source_file_run_id_name_sha256 UNIQUE (run_id, name_sha256)
);

CREATE TABLE gap (
	run_id INTEGER NOT NULL, 
	file_id INTEGER NOT NULL, 
	generation INTEGER NOT NULL, 
	"offset" BIGINT NOT NULL, 
	length BIGINT NOT NULL, 
	reason TEXT NOT NULL, 
	found_at FLOAT NOT NULL, 
	CONSTRAINT pk_gap PRIMARY KEY (run_id, file_id, generation, "offset"), 
	CONSTRAINT fk_gap_file_id FOREIGN KEY(file_id) REFERENCES source_file (file_id), 
	CONSTRAINT fk_gap_run_id FOREIGN KEY(run_id) REFERENCES run (run_id)
);

CREATE TABLE run_head (
	run_id INTEGER NOT NULL, 
	payload BLOB NOT NULL, 
	CONSTRAINT pk_run_head PRIMARY KEY (run_id), 
	CONSTRAINT fk_run_head_run_id FOREIGN KEY(run_id) REFERENCES run (run_id)
);

CREATE TABLE restart (
	run_id INTEGER NOT NULL, 
	attempt INTEGER NOT NULL, 
	tag_id INTEGER NOT NULL, 
	kind SMALLINT NOT NULL, 
	step BIGINT NOT NULL, 
	CONSTRAINT pk_restart PRIMARY KEY (run_id, attempt, tag_id, kind), 
	CONSTRAINT fk_restart_run_id FOREIGN KEY(run_id) REFERENCES run (run_id)
);

CREATE TABLE segment (
	run_id INTEGER NOT NULL, 
	seq BIGINT NOT NULL, 
	attempt INTEGER NOT NULL, 
	n INTEGER NOT NULL, 
	payload BLOB NOT NULL, 
	CONSTRAINT pk_segment PRIMARY KEY (run_id, seq), 
	CONSTRAINT fk_segment_run_id FOREIGN KEY(run_id) REFERENCES run (run_id)
);

CREATE TABLE block (
	run_id INTEGER NOT NULL, 
	tag_id INTEGER NOT NULL, 
	kind SMALLINT NOT NULL, 
	level SMALLINT NOT NULL, 
	seq BIGINT NOT NULL, 
	attempt INTEGER NOT NULL, 
	n INTEGER NOT NULL, 
	step_min BIGINT NOT NULL, 
	step_max BIGINT NOT NULL, 
	wall_min FLOAT, 
	wall_max FLOAT, 
	value_first FLOAT, 
	value_last FLOAT, 
	value_min FLOAT, 
	value_max FLOAT, 
	value_sum FLOAT, 
	non_finite INTEGER DEFAULT '0' NOT NULL, 
	payload BLOB NOT NULL, 
	CONSTRAINT pk_block PRIMARY KEY (run_id, tag_id, kind, level, seq), 
	CONSTRAINT fk_block_run_id FOREIGN KEY(run_id) REFERENCES run (run_id)
);

CREATE TABLE blob_ref (
	run_id INTEGER NOT NULL, 
	sha256 BLOB NOT NULL, 
	CONSTRAINT pk_blob_ref PRIMARY KEY (run_id, sha256), 
	CONSTRAINT fk_blob_ref_run_id FOREIGN KEY(run_id) REFERENCES run (run_id), 
	CONSTRAINT fk_blob_ref_sha256 FOREIGN KEY(sha256) REFERENCES blob (sha256)
);

ALTER TABLE run ADD COLUMN standing SMALLINT DEFAULT '0' NOT NULL;

ALTER TABLE run ADD COLUMN shadow_of BIGINT;

ALTER TABLE run ADD COLUMN archived_at FLOAT;

ALTER TABLE run ADD COLUMN gone_at FLOAT;

ALTER TABLE run ADD COLUMN opened SMALLINT DEFAULT '0' NOT NULL;

CREATE INDEX ix_run_standing ON run (standing) WHERE standing != 0;

ALTER TABLE source_file ADD COLUMN encoding VARCHAR(8) DEFAULT '' NOT NULL;

ALTER TABLE source_file ADD COLUMN read_at FLOAT;

ALTER TABLE source_file ADD COLUMN file_version FLOAT;

CREATE TABLE lease (
	logdir_id INTEGER NOT NULL, 
	owner VARCHAR(32) NOT NULL, 
	host TEXT NOT NULL, 
	pid INTEGER NOT NULL, 
	since FLOAT NOT NULL, 
	until FLOAT NOT NULL, 
	watch VARCHAR(16) DEFAULT '' NOT NULL, 
	watch_reason TEXT, 
	runs BIGINT DEFAULT '0' NOT NULL, 
	files BIGINT DEFAULT '0' NOT NULL, 
	unreadable_files BIGINT DEFAULT '0' NOT NULL, 
	pending_bytes BIGINT DEFAULT '0' NOT NULL, 
	lag_s FLOAT DEFAULT '0' NOT NULL, 
	points BIGINT DEFAULT '0' NOT NULL, 
	bytes BIGINT DEFAULT '0' NOT NULL, 
	points_per_s FLOAT DEFAULT '0' NOT NULL, 
	bytes_per_s FLOAT DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_lease PRIMARY KEY (logdir_id, owner), 
	CONSTRAINT fk_lease_logdir_id FOREIGN KEY(logdir_id) REFERENCES logdir (logdir_id)
);

ALTER TABLE run ADD COLUMN display_name TEXT;

ALTER TABLE run ADD COLUMN starred SMALLINT DEFAULT '0' NOT NULL;

ALTER TABLE run ADD COLUMN chosen_color VARCHAR(7);

ALTER TABLE run ADD COLUMN edits BIGINT DEFAULT '0' NOT NULL;

ALTER TABLE run ADD COLUMN host TEXT;

ALTER TABLE run ADD COLUMN username TEXT;

CREATE TABLE run_tag (
	uid VARCHAR(16) NOT NULL, 
	name TEXT NOT NULL, 
	CONSTRAINT pk_run_tag PRIMARY KEY (uid, name), 
	CONSTRAINT fk_run_tag_uid FOREIGN KEY(uid) REFERENCES run (uid) DEFERRABLE INITIALLY DEFERRED
);

CREATE INDEX ix_run_tag_name ON run_tag (name);

CREATE TABLE run_note (
	uid VARCHAR(16) NOT NULL, 
	text TEXT NOT NULL, 
	author TEXT NOT NULL, 
	written_at FLOAT NOT NULL, 
	CONSTRAINT pk_run_note PRIMARY KEY (uid), 
	CONSTRAINT fk_run_note_uid FOREIGN KEY(uid) REFERENCES run (uid) DEFERRABLE INITIALLY DEFERRED
);

CREATE TABLE annotation (
	annotation_id VARCHAR(16) NOT NULL, 
	project_id INTEGER NOT NULL, 
	uid VARCHAR(16), 
	step BIGINT, 
	wall FLOAT, 
	text TEXT NOT NULL, 
	author TEXT NOT NULL, 
	written_at FLOAT NOT NULL, 
	CONSTRAINT pk_annotation PRIMARY KEY (annotation_id), 
	CONSTRAINT fk_annotation_project_id FOREIGN KEY(project_id) REFERENCES project (project_id), 
	CONSTRAINT fk_annotation_uid FOREIGN KEY(uid) REFERENCES run (uid) DEFERRABLE INITIALLY DEFERRED
);

CREATE INDEX ix_annotation_project_id_uid ON annotation (project_id, uid);

CREATE TABLE saved_view (
	view_id VARCHAR(16) NOT NULL, 
	project_id INTEGER NOT NULL, 
	page VARCHAR(16) NOT NULL, 
	name TEXT, 
	owner TEXT NOT NULL, 
	for_team SMALLINT NOT NULL, 
	is_default SMALLINT DEFAULT '0' NOT NULL, 
	state TEXT NOT NULL, 
	created_at FLOAT NOT NULL, 
	changed_at FLOAT NOT NULL, 
	CONSTRAINT pk_saved_view PRIMARY KEY (view_id), 
	CONSTRAINT fk_saved_view_project_id FOREIGN KEY(project_id) REFERENCES project (project_id)
);

CREATE INDEX ix_saved_view_project_id ON saved_view (project_id);

CREATE UNIQUE INDEX ix_saved_view_default ON saved_view (project_id) WHERE is_default = 1;

CREATE TABLE account (
	account_id INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	name_key TEXT NOT NULL, 
	kind VARCHAR(16) NOT NULL, 
	is_admin SMALLINT DEFAULT '0' NOT NULL, 
	created_at FLOAT NOT NULL, 
	disabled_at FLOAT, 
	CONSTRAINT pk_account PRIMARY KEY (account_id), 
	CONSTRAINT uq_account_name_key UNIQUE (name_key)
);

CREATE TABLE password (
	account_id INTEGER NOT NULL, 
	hash TEXT NOT NULL, 
	changed_at FLOAT NOT NULL, 
	CONSTRAINT pk_password PRIMARY KEY (account_id), 
	CONSTRAINT fk_password_account_id FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE TABLE session (
	session_id VARCHAR(16) NOT NULL, 
	secret_sha256 BLOB NOT NULL, 
	account_id INTEGER NOT NULL, 
	created_at FLOAT NOT NULL, 
	used_at FLOAT NOT NULL, 
	proved_at FLOAT NOT NULL, 
	address TEXT NOT NULL, 
	agent TEXT NOT NULL, 
	CONSTRAINT pk_session PRIMARY KEY (session_id), 
	CONSTRAINT fk_session_account_id FOREIGN KEY(account_id) REFERENCES account (account_id), 
	CONSTRAINT uq_session_secret_sha256 UNIQUE (secret_sha256)
);

CREATE INDEX ix_session_account_id ON session (account_id);

CREATE TABLE one_time_link (
	secret_sha256 BLOB NOT NULL, 
	purpose VARCHAR(16) NOT NULL, 
	account_id INTEGER, 
	team_id INTEGER, 
	role SMALLINT, 
	made_by INTEGER, 
	created_at FLOAT NOT NULL, 
	expires_at FLOAT NOT NULL, 
	used_at FLOAT, 
	CONSTRAINT pk_one_time_link PRIMARY KEY (secret_sha256), 
	CONSTRAINT fk_one_time_link_account_id FOREIGN KEY(account_id) REFERENCES account (account_id), 
	CONSTRAINT fk_one_time_link_team_id FOREIGN KEY(team_id) REFERENCES team (team_id), 
	CONSTRAINT fk_one_time_link_made_by FOREIGN KEY(made_by) REFERENCES account (account_id)
);

CREATE TABLE team_member (
	team_id INTEGER NOT NULL, 
	account_id INTEGER NOT NULL, 
	role SMALLINT NOT NULL, 
	since FLOAT NOT NULL, 
	CONSTRAINT pk_team_member PRIMARY KEY (team_id, account_id), 
	CONSTRAINT fk_team_member_team_id FOREIGN KEY(team_id) REFERENCES team (team_id), 
	CONSTRAINT fk_team_member_account_id FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE INDEX ix_team_member_account_id ON team_member (account_id);

CREATE TABLE project_grant (
	project_id INTEGER NOT NULL, 
	account_id INTEGER NOT NULL, 
	role SMALLINT NOT NULL, 
	since FLOAT NOT NULL, 
	CONSTRAINT pk_project_grant PRIMARY KEY (project_id, account_id), 
	CONSTRAINT fk_project_grant_project_id FOREIGN KEY(project_id) REFERENCES project (project_id), 
	CONSTRAINT fk_project_grant_account_id FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE INDEX ix_project_grant_account_id ON project_grant (account_id);

CREATE TABLE token (
	token_id VARCHAR(16) NOT NULL, 
	secret_sha256 BLOB NOT NULL, 
	account_id INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	scope VARCHAR(16) NOT NULL, 
	team_id INTEGER, 
	project_id INTEGER, 
	created_at FLOAT NOT NULL, 
	expires_at FLOAT NOT NULL, 
	used_at FLOAT, 
	revoked_at FLOAT, 
	CONSTRAINT pk_token PRIMARY KEY (token_id), 
	CONSTRAINT fk_token_account_id FOREIGN KEY(account_id) REFERENCES account (account_id), 
	CONSTRAINT fk_token_team_id FOREIGN KEY(team_id) REFERENCES team (team_id), 
	CONSTRAINT fk_token_project_id FOREIGN KEY(project_id) REFERENCES project (project_id), 
	CONSTRAINT uq_token_secret_sha256 UNIQUE (secret_sha256)
);

CREATE INDEX ix_token_account_id ON token (account_id);

CREATE TABLE share (
	share_id VARCHAR(16) NOT NULL, 
	secret_sha256 BLOB NOT NULL, 
	project_id INTEGER NOT NULL, 
	path TEXT NOT NULL, 
	uids TEXT, 
	title TEXT NOT NULL, 
	made_by INTEGER, 
	created_at FLOAT NOT NULL, 
	expires_at FLOAT NOT NULL, 
	revoked_at FLOAT, 
	used_at FLOAT, 
	uses INTEGER DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_share PRIMARY KEY (share_id), 
	CONSTRAINT fk_share_project_id FOREIGN KEY(project_id) REFERENCES project (project_id), 
	CONSTRAINT fk_share_made_by FOREIGN KEY(made_by) REFERENCES account (account_id), 
	CONSTRAINT uq_share_secret_sha256 UNIQUE (secret_sha256)
);

CREATE INDEX ix_share_project_id ON share (project_id);

CREATE TABLE audit (
	audit_id INTEGER NOT NULL, 
	at FLOAT NOT NULL, 
	account_id INTEGER, 
	actor TEXT NOT NULL, 
	via VARCHAR(16), 
	address TEXT NOT NULL, 
	action VARCHAR(32) NOT NULL, 
	subject TEXT NOT NULL, 
	outcome VARCHAR(16) NOT NULL, 
	"before" TEXT, 
	"after" TEXT, 
	CONSTRAINT pk_audit PRIMARY KEY (audit_id), 
	CONSTRAINT fk_audit_account_id FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE INDEX ix_audit_at ON audit (at);

CREATE TABLE sign_in_delay (
	key_sha256 BLOB NOT NULL, 
	failures INTEGER NOT NULL, 
	last_at FLOAT NOT NULL, 
	CONSTRAINT pk_sign_in_delay PRIMARY KEY (key_sha256)
);

CREATE TABLE logdir_rule (
	rule_id INTEGER NOT NULL, 
	path TEXT NOT NULL, 
	path_sha256 BLOB NOT NULL, 
	project_id INTEGER NOT NULL, 
	made_by INTEGER, 
	created_at FLOAT NOT NULL, 
	CONSTRAINT pk_logdir_rule PRIMARY KEY (rule_id), 
	CONSTRAINT fk_logdir_rule_project_id FOREIGN KEY(project_id) REFERENCES project (project_id), 
	CONSTRAINT fk_logdir_rule_made_by FOREIGN KEY(made_by) REFERENCES account (account_id), 
	CONSTRAINT uq_logdir_rule_path_sha256 UNIQUE (path_sha256)
);

CREATE TRIGGER audit_stays_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is only appended to'); END;

CREATE TRIGGER audit_stays_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is only appended to'); END;

CREATE TRIGGER audit_stays_insert BEFORE INSERT ON audit WHEN EXISTS (SELECT 1 FROM audit WHERE audit_id = NEW.audit_id) BEGIN SELECT RAISE(ABORT, 'the audit log is only appended to'); END;

CREATE TABLE second_factor (
	account_id INTEGER NOT NULL, 
	secret BLOB NOT NULL, 
	made_at FLOAT NOT NULL, 
	confirmed_at FLOAT, 
	last_step BIGINT, 
	CONSTRAINT pk_second_factor PRIMARY KEY (account_id), 
	CONSTRAINT fk_second_factor_account_id FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE TABLE recovery_code (
	code_sha256 BLOB NOT NULL, 
	account_id INTEGER NOT NULL, 
	used_at FLOAT, 
	CONSTRAINT pk_recovery_code PRIMARY KEY (code_sha256), 
	CONSTRAINT fk_recovery_code_account_id FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE INDEX ix_recovery_code_account_id ON recovery_code (account_id);

ALTER TABLE session ADD COLUMN way VARCHAR(16) DEFAULT 'password' NOT NULL;

ALTER TABLE team_member ADD COLUMN by_group SMALLINT DEFAULT '0' NOT NULL;

ALTER TABLE account ADD COLUMN admin_by_group SMALLINT DEFAULT '0' NOT NULL;

CREATE TABLE identity (
	identity_sha256 BLOB NOT NULL, 
	issuer TEXT NOT NULL, 
	subject TEXT NOT NULL, 
	account_id INTEGER NOT NULL, 
	email TEXT NOT NULL, 
	created_at FLOAT NOT NULL, 
	used_at FLOAT, 
	CONSTRAINT pk_identity PRIMARY KEY (identity_sha256), 
	CONSTRAINT fk_identity_account_id FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE INDEX ix_identity_account_id ON identity (account_id);

CREATE TABLE identity_attempt (
	state_sha256 BLOB NOT NULL, 
	browser_sha256 BLOB NOT NULL, 
	nonce TEXT NOT NULL, 
	verifier TEXT NOT NULL, 
	next TEXT NOT NULL, 
	account_id INTEGER, 
	created_at FLOAT NOT NULL, 
	CONSTRAINT pk_identity_attempt PRIMARY KEY (state_sha256), 
	CONSTRAINT fk_identity_attempt_account_id FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE TABLE group_rule (
	rule_id INTEGER NOT NULL, 
	group_name TEXT NOT NULL, 
	team_id INTEGER, 
	role SMALLINT NOT NULL, 
	made_by INTEGER, 
	created_at FLOAT NOT NULL, 
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
	written_at FLOAT NOT NULL, 
	CONSTRAINT pk_run_note_before PRIMARY KEY (uid, version), 
	CONSTRAINT fk_run_note_before_uid FOREIGN KEY(uid) REFERENCES run (uid) DEFERRABLE INITIALLY DEFERRED
);

CREATE TABLE comment (
	comment_id VARCHAR(16) NOT NULL, 
	uid VARCHAR(16), 
	view_id VARCHAR(16), 
	answers VARCHAR(16), 
	text TEXT NOT NULL, 
	account_id INTEGER, 
	author TEXT NOT NULL, 
	written_at FLOAT NOT NULL, 
	changed_at FLOAT, 
	removed_at FLOAT, 
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
	account_id INTEGER NOT NULL, 
	seen_at FLOAT, 
	CONSTRAINT pk_mention PRIMARY KEY (comment_id, account_id), 
	CONSTRAINT fk_mention_comment_id FOREIGN KEY(comment_id) REFERENCES comment (comment_id), 
	CONSTRAINT fk_mention_account_id FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE INDEX ix_mention_account_id ON mention (account_id);

CREATE TABLE metric (
	metric_id INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	unit TEXT NOT NULL, 
	direction VARCHAR(8) NOT NULL, 
	description TEXT NOT NULL, 
	author TEXT NOT NULL, 
	changed_at FLOAT NOT NULL, 
	CONSTRAINT pk_metric PRIMARY KEY (metric_id), 
	CONSTRAINT uq_metric_name UNIQUE (name)
);

CREATE TABLE metric_alias (
	tag TEXT NOT NULL, 
	tag_sha256 BLOB NOT NULL, 
	metric_id INTEGER NOT NULL, 
	scale FLOAT DEFAULT '1' NOT NULL, 
	CONSTRAINT pk_metric_alias PRIMARY KEY (tag_sha256), 
	CONSTRAINT fk_metric_alias_metric_id FOREIGN KEY(metric_id) REFERENCES metric (metric_id)
);

CREATE INDEX ix_metric_alias_metric_id ON metric_alias (metric_id);

ALTER TABLE run ADD COLUMN settings_of BLOB;

CREATE INDEX ix_run_settings_of ON run (logdir_id, settings_of) WHERE settings_of IS NOT NULL;

CREATE TABLE thinned (
	run_id INTEGER NOT NULL, 
	tag_id INTEGER NOT NULL, 
	kind SMALLINT NOT NULL, 
	attempt INTEGER NOT NULL, 
	seq BIGINT NOT NULL, 
	at FLOAT NOT NULL, 
	keep_every INTEGER NOT NULL, 
	after_days FLOAT NOT NULL, 
	settled SMALLINT DEFAULT '0' NOT NULL, 
	n INTEGER NOT NULL, 
	payload BLOB NOT NULL, 
	CONSTRAINT pk_thinned PRIMARY KEY (run_id, tag_id, kind, attempt, seq), 
	CONSTRAINT fk_thinned_run_id FOREIGN KEY(run_id) REFERENCES run (run_id)
);

CREATE INDEX ix_blob_ref_sha256 ON blob_ref (sha256);

CREATE INDEX ix_run_note_written_at ON run_note (written_at);

CREATE INDEX ix_comment_written_at ON comment (written_at);

CREATE TABLE watch (
	account_id INTEGER NOT NULL, 
	uid VARCHAR(16) NOT NULL, 
	since FLOAT NOT NULL, 
	seen_standing VARCHAR(64) NOT NULL, 
	standing_seen_at FLOAT, 
	seen_gaps INTEGER NOT NULL, 
	seen_gap_at FLOAT NOT NULL, 
	gaps_seen_at FLOAT, 
	CONSTRAINT pk_watch PRIMARY KEY (account_id, uid), 
	CONSTRAINT fk_watch_uid FOREIGN KEY(uid) REFERENCES run (uid) DEFERRABLE INITIALLY DEFERRED, 
	CONSTRAINT fk_watch_account_id FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE INDEX ix_watch_uid ON watch (uid);

CREATE TABLE watch_seen (
	comment_id VARCHAR(16) NOT NULL, 
	account_id INTEGER NOT NULL, 
	seen_at FLOAT NOT NULL, 
	CONSTRAINT pk_watch_seen PRIMARY KEY (comment_id, account_id), 
	CONSTRAINT fk_watch_seen_comment_id FOREIGN KEY(comment_id) REFERENCES comment (comment_id) ON DELETE CASCADE, 
	CONSTRAINT fk_watch_seen_account_id FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE INDEX ix_watch_seen_account_id ON watch_seen (account_id);

CREATE TABLE graph_upload (
	upload_id VARCHAR(16) NOT NULL, 
	project_id INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	kind VARCHAR(16) NOT NULL, 
	file_size BIGINT NOT NULL, 
	sha256 BLOB NOT NULL, 
	size BIGINT NOT NULL, 
	payload BLOB NOT NULL, 
	account_id INTEGER, 
	author TEXT NOT NULL, 
	uploaded_at FLOAT NOT NULL, 
	CONSTRAINT pk_graph_upload PRIMARY KEY (upload_id), 
	CONSTRAINT fk_graph_upload_project_id FOREIGN KEY(project_id) REFERENCES project (project_id), 
	CONSTRAINT fk_graph_upload_account_id FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE INDEX ix_graph_upload_project_id ON graph_upload (project_id);

CREATE TABLE embed (
	embed_id VARCHAR(16) NOT NULL, 
	secret_sha256 BLOB NOT NULL, 
	project_id INTEGER NOT NULL, 
	tag TEXT NOT NULL, 
	state TEXT NOT NULL, 
	uids TEXT, 
	title TEXT NOT NULL, 
	origins TEXT NOT NULL, 
	account_id INTEGER, 
	created_at FLOAT NOT NULL, 
	expires_at FLOAT NOT NULL, 
	revoked_at FLOAT, 
	used_at FLOAT, 
	CONSTRAINT pk_embed PRIMARY KEY (embed_id), 
	CONSTRAINT fk_embed_project_id FOREIGN KEY(project_id) REFERENCES project (project_id), 
	CONSTRAINT fk_embed_account_id FOREIGN KEY(account_id) REFERENCES account (account_id), 
	CONSTRAINT uq_embed_secret_sha256 UNIQUE (secret_sha256)
);

CREATE INDEX ix_embed_project_id ON embed (project_id);

INSERT INTO alembic_version (version_num) VALUES ('v0_6')
