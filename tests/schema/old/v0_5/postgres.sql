SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
CREATE FUNCTION public.audit_stays() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN RAISE EXCEPTION 'the audit log is only appended to'; END $$;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public.account (
    account_id bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    name_key text NOT NULL COLLATE pg_catalog."C",
    kind character varying(16) NOT NULL,
    is_admin smallint DEFAULT '0'::smallint NOT NULL,
    created_at double precision NOT NULL,
    disabled_at double precision
);
CREATE SEQUENCE public.account_account_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.account_account_id_seq OWNED BY public.account.account_id;
CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.annotation (
    annotation_id character varying(16) NOT NULL,
    project_id bigint NOT NULL,
    uid character varying(16),
    step bigint,
    wall double precision,
    text text NOT NULL,
    author text NOT NULL,
    written_at double precision NOT NULL
);
CREATE TABLE public.audit (
    audit_id bigint NOT NULL,
    at double precision NOT NULL,
    account_id bigint,
    actor text NOT NULL,
    via character varying(16),
    address text NOT NULL,
    action character varying(32) NOT NULL,
    subject text NOT NULL,
    outcome character varying(16) NOT NULL,
    before text,
    after text
);
CREATE SEQUENCE public.audit_audit_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.audit_audit_id_seq OWNED BY public.audit.audit_id;
CREATE TABLE public.blob (
    sha256 bytea NOT NULL,
    size bigint NOT NULL,
    media_type text NOT NULL,
    data bytea,
    uri text
);
ALTER TABLE ONLY public.blob ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE TABLE public.blob_ref (
    run_id bigint NOT NULL,
    sha256 bytea NOT NULL
);
CREATE TABLE public.block (
    run_id bigint NOT NULL,
    tag_id bigint NOT NULL,
    kind smallint NOT NULL,
    level smallint NOT NULL,
    seq bigint NOT NULL,
    attempt integer NOT NULL,
    n integer NOT NULL,
    step_min bigint NOT NULL,
    step_max bigint NOT NULL,
    wall_min double precision,
    wall_max double precision,
    value_first double precision,
    value_last double precision,
    value_min double precision,
    value_max double precision,
    value_sum double precision,
    non_finite integer DEFAULT 0 NOT NULL,
    payload bytea NOT NULL
);
ALTER TABLE ONLY public.block ALTER COLUMN payload SET STORAGE EXTERNAL;
CREATE TABLE public.gap (
    run_id bigint NOT NULL,
    file_id bigint NOT NULL,
    generation integer NOT NULL,
    "offset" bigint NOT NULL,
    length bigint NOT NULL,
    reason text NOT NULL,
    found_at double precision NOT NULL
);
CREATE TABLE public.lease (
    logdir_id bigint NOT NULL,
    owner character varying(32) NOT NULL,
    host text NOT NULL,
    pid integer NOT NULL,
    since double precision NOT NULL,
    until double precision NOT NULL,
    watch character varying(16) DEFAULT ''::character varying NOT NULL,
    watch_reason text,
    runs bigint DEFAULT '0'::bigint NOT NULL,
    files bigint DEFAULT '0'::bigint NOT NULL,
    unreadable_files bigint DEFAULT '0'::bigint NOT NULL,
    pending_bytes bigint DEFAULT '0'::bigint NOT NULL,
    lag_s double precision DEFAULT '0'::double precision NOT NULL,
    points bigint DEFAULT '0'::bigint NOT NULL,
    bytes bigint DEFAULT '0'::bigint NOT NULL,
    points_per_s double precision DEFAULT '0'::double precision NOT NULL,
    bytes_per_s double precision DEFAULT '0'::double precision NOT NULL
);
CREATE TABLE public.logdir (
    logdir_id bigint NOT NULL,
    project_id bigint NOT NULL,
    path text NOT NULL COLLATE pg_catalog."C",
    path_sha256 bytea NOT NULL,
    seen_at double precision,
    watch character varying(16),
    watch_reason text
);
CREATE SEQUENCE public.logdir_logdir_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.logdir_logdir_id_seq OWNED BY public.logdir.logdir_id;
CREATE TABLE public.logdir_rule (
    rule_id bigint NOT NULL,
    path text NOT NULL COLLATE pg_catalog."C",
    path_sha256 bytea NOT NULL,
    project_id bigint NOT NULL,
    made_by bigint,
    created_at double precision NOT NULL
);
CREATE SEQUENCE public.logdir_rule_rule_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.logdir_rule_rule_id_seq OWNED BY public.logdir_rule.rule_id;
CREATE TABLE public.metadata (
    metadata_id bigint NOT NULL,
    sha256 bytea NOT NULL,
    plugin text NOT NULL,
    content bytea NOT NULL,
    display_name text NOT NULL,
    description text NOT NULL,
    data_class smallint NOT NULL
);
CREATE SEQUENCE public.metadata_metadata_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.metadata_metadata_id_seq OWNED BY public.metadata.metadata_id;
CREATE TABLE public.one_time_link (
    secret_sha256 bytea NOT NULL,
    purpose character varying(16) NOT NULL,
    account_id bigint,
    team_id bigint,
    role smallint,
    made_by bigint,
    created_at double precision NOT NULL,
    expires_at double precision NOT NULL,
    used_at double precision
);
CREATE TABLE public.password (
    account_id bigint NOT NULL,
    hash text NOT NULL,
    changed_at double precision NOT NULL
);
CREATE TABLE public.project (
    project_id bigint NOT NULL,
    team_id bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    visibility character varying(16) DEFAULT 'team'::character varying NOT NULL,
    created_at double precision NOT NULL
);
CREATE TABLE public.project_grant (
    project_id bigint NOT NULL,
    account_id bigint NOT NULL,
    role smallint NOT NULL,
    since double precision NOT NULL
);
CREATE SEQUENCE public.project_project_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.project_project_id_seq OWNED BY public.project.project_id;
CREATE TABLE public.restart (
    run_id bigint NOT NULL,
    attempt integer NOT NULL,
    tag_id bigint NOT NULL,
    kind smallint NOT NULL,
    step bigint NOT NULL
);
CREATE TABLE public.run (
    run_id bigint NOT NULL,
    uid character varying(16) NOT NULL,
    project_id bigint NOT NULL,
    logdir_id bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    name_sha256 bytea NOT NULL,
    color integer NOT NULL,
    created_at double precision NOT NULL,
    revision bigint DEFAULT '0'::bigint NOT NULL,
    touched_ms bigint DEFAULT '0'::bigint NOT NULL,
    started double precision,
    last_event double precision,
    last_write double precision,
    finished character varying(16),
    points bigint DEFAULT '0'::bigint NOT NULL,
    gaps integer DEFAULT 0 NOT NULL,
    files integer DEFAULT 0 NOT NULL,
    attempts integer DEFAULT 1 NOT NULL,
    last_step bigint,
    tag_set_id bigint,
    hparams text,
    next_seq bigint DEFAULT '0'::bigint NOT NULL,
    segments integer DEFAULT 0 NOT NULL,
    standing smallint DEFAULT '0'::smallint NOT NULL,
    shadow_of bigint,
    archived_at double precision,
    gone_at double precision,
    opened smallint DEFAULT '0'::smallint NOT NULL,
    display_name text COLLATE pg_catalog."C",
    starred smallint DEFAULT '0'::smallint NOT NULL,
    chosen_color character varying(7),
    edits bigint DEFAULT '0'::bigint NOT NULL,
    host text COLLATE pg_catalog."C",
    username text COLLATE pg_catalog."C"
);
CREATE TABLE public.run_head (
    run_id bigint NOT NULL,
    payload bytea NOT NULL
);
ALTER TABLE ONLY public.run_head ALTER COLUMN payload SET STORAGE EXTERNAL;
CREATE TABLE public.run_note (
    uid character varying(16) NOT NULL,
    text text NOT NULL,
    author text NOT NULL,
    written_at double precision NOT NULL
);
CREATE SEQUENCE public.run_run_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.run_run_id_seq OWNED BY public.run.run_id;
CREATE TABLE public.run_tag (
    uid character varying(16) NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE public.saved_view (
    view_id character varying(16) NOT NULL,
    project_id bigint NOT NULL,
    page character varying(16) NOT NULL,
    name text COLLATE pg_catalog."C",
    owner text NOT NULL,
    for_team smallint NOT NULL,
    is_default smallint DEFAULT '0'::smallint NOT NULL,
    state text NOT NULL,
    created_at double precision NOT NULL,
    changed_at double precision NOT NULL
);
CREATE TABLE public.segment (
    run_id bigint NOT NULL,
    seq bigint NOT NULL,
    attempt integer NOT NULL,
    n integer NOT NULL,
    payload bytea NOT NULL
);
ALTER TABLE ONLY public.segment ALTER COLUMN payload SET STORAGE EXTERNAL;
CREATE TABLE public.session (
    session_id character varying(16) NOT NULL,
    secret_sha256 bytea NOT NULL,
    account_id bigint NOT NULL,
    created_at double precision NOT NULL,
    used_at double precision NOT NULL,
    proved_at double precision NOT NULL,
    address text NOT NULL,
    agent text NOT NULL
);
CREATE TABLE public.share (
    share_id character varying(16) NOT NULL,
    secret_sha256 bytea NOT NULL,
    project_id bigint NOT NULL,
    path text NOT NULL,
    uids text,
    title text NOT NULL,
    made_by bigint,
    created_at double precision NOT NULL,
    expires_at double precision NOT NULL,
    revoked_at double precision,
    used_at double precision,
    uses integer DEFAULT 0 NOT NULL
);
CREATE TABLE public.sign_in_delay (
    key_sha256 bytea NOT NULL,
    failures integer NOT NULL,
    last_at double precision NOT NULL
);
CREATE TABLE public.source_file (
    file_id bigint NOT NULL,
    run_id bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    name_sha256 bytea NOT NULL,
    generation integer DEFAULT 0 NOT NULL,
    head_sha256 bytea NOT NULL,
    head_bytes integer NOT NULL,
    size bigint DEFAULT '0'::bigint NOT NULL,
    mtime_ns bigint DEFAULT '0'::bigint NOT NULL,
    "offset" bigint DEFAULT '0'::bigint NOT NULL,
    pending text,
    records bigint DEFAULT '0'::bigint NOT NULL,
    first_wall double precision,
    last_wall double precision,
    first_attempt integer DEFAULT 0 NOT NULL,
    last_attempt integer DEFAULT 0 NOT NULL,
    source_writer text,
    error text DEFAULT ''::text NOT NULL,
    encoding character varying(8) DEFAULT ''::character varying NOT NULL,
    read_at double precision,
    file_version double precision
);
CREATE SEQUENCE public.source_file_file_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.source_file_file_id_seq OWNED BY public.source_file.file_id;
CREATE TABLE public.tag (
    tag_id bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    name_sha256 bytea NOT NULL
);
CREATE TABLE public.tag_set (
    tag_set_id bigint NOT NULL,
    sha256 bytea NOT NULL,
    payload bytea NOT NULL
);
CREATE SEQUENCE public.tag_set_tag_set_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.tag_set_tag_set_id_seq OWNED BY public.tag_set.tag_set_id;
CREATE SEQUENCE public.tag_tag_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.tag_tag_id_seq OWNED BY public.tag.tag_id;
CREATE TABLE public.team (
    team_id bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    created_at double precision NOT NULL
);
CREATE TABLE public.team_member (
    team_id bigint NOT NULL,
    account_id bigint NOT NULL,
    role smallint NOT NULL,
    since double precision NOT NULL
);
CREATE SEQUENCE public.team_team_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.team_team_id_seq OWNED BY public.team.team_id;
CREATE TABLE public.token (
    token_id character varying(16) NOT NULL,
    secret_sha256 bytea NOT NULL,
    account_id bigint NOT NULL,
    name text NOT NULL,
    scope character varying(16) NOT NULL,
    team_id bigint,
    project_id bigint,
    created_at double precision NOT NULL,
    expires_at double precision NOT NULL,
    used_at double precision,
    revoked_at double precision
);
ALTER TABLE ONLY public.account ALTER COLUMN account_id SET DEFAULT nextval('public.account_account_id_seq'::regclass);
ALTER TABLE ONLY public.audit ALTER COLUMN audit_id SET DEFAULT nextval('public.audit_audit_id_seq'::regclass);
ALTER TABLE ONLY public.logdir ALTER COLUMN logdir_id SET DEFAULT nextval('public.logdir_logdir_id_seq'::regclass);
ALTER TABLE ONLY public.logdir_rule ALTER COLUMN rule_id SET DEFAULT nextval('public.logdir_rule_rule_id_seq'::regclass);
ALTER TABLE ONLY public.metadata ALTER COLUMN metadata_id SET DEFAULT nextval('public.metadata_metadata_id_seq'::regclass);
ALTER TABLE ONLY public.project ALTER COLUMN project_id SET DEFAULT nextval('public.project_project_id_seq'::regclass);
ALTER TABLE ONLY public.run ALTER COLUMN run_id SET DEFAULT nextval('public.run_run_id_seq'::regclass);
ALTER TABLE ONLY public.source_file ALTER COLUMN file_id SET DEFAULT nextval('public.source_file_file_id_seq'::regclass);
ALTER TABLE ONLY public.tag ALTER COLUMN tag_id SET DEFAULT nextval('public.tag_tag_id_seq'::regclass);
ALTER TABLE ONLY public.tag_set ALTER COLUMN tag_set_id SET DEFAULT nextval('public.tag_set_tag_set_id_seq'::regclass);
ALTER TABLE ONLY public.team ALTER COLUMN team_id SET DEFAULT nextval('public.team_team_id_seq'::regclass);
INSERT INTO public.account VALUES (1, 'Ana Š', 'ana š', 'person', 1, 1700000000.5, NULL);
INSERT INTO public.account VALUES (2, 'ci', 'ci', 'service', 0, 1700000000.5, 1700003600.5);
INSERT INTO public.alembic_version VALUES ('v0_5');
INSERT INTO public.annotation VALUES ('longone', 1, 'fSGJIikcIO88', -9223372036854775808, NULL, '<b>&‮💩'' " \', 'you', 1700000000.5);
INSERT INTO public.annotation VALUES ('longall', 1, NULL, NULL, 1.5, '<b>&‮💩'' " \', 'you', 1700000000.5);
INSERT INTO public.audit VALUES (1, 1700000000.5, 1, 'Ana Š', NULL, '', 'role.set', 'team a', 'done', NULL, NULL);
INSERT INTO public.blob VALUES ('\x51fc032cc1c6e4c43dd04f0a0f222bdc415d57da72c41653d1cc8b76c04db1ba', 22, 'application/x-protobuf', '\x0a140a056e6f646530120b506c616365686f6c646572', NULL);
INSERT INTO public.blob VALUES ('\x7db73ddd8b1ba213a8df0469cfe435acf8cca073d027786be45f5921d3ef855e', 7028, 'image/png', '\x89504e470d0a1a0a0000000d4948445200000030000000300802000000d8606ed000001b3b49444154789c01301bcfe4005f2cc3823f57c26029d99770cfebfdeb656b0f1847a392ed210043d7d3b7d9575d82e2fff8683abd3c011006cc45186ab82688e8fcd4cde7434e4563a9f3773d810b7d31c80a64621da797f09f2642df0113ea5bb6e8cd27b0ed3be07504129c3b540a51a377dedfb92c73a378fe627a133332e605d079aa4e7a941c217e40b7c0a603c779923659c5e2aab407e96da9022083fd305f3b2bb3eda70fd5a2b08390a9583d626bf8da282497dcc39a1fa9e81e766c6a6744088c8b90b0112b757e2a074fc7974f000f345553b6873ec1bac42672ae379d81bb5ad0bfc7cf55f91465797c5ff651ca85c1ca71252b35ebdd2f113535e6192922020b1bd804d521e24ddbfba937a50036ec6213c974dcd37e3e6b055614ef37301f905a092f6617657802714dca43d016f9c626e4ef394e60005db53e321abe407900da6f7bfbbcaf65f55895555414c054c7af14d93dbc4effbebab75d5439d9f3f74b2282db20134eb216019fe30f2feb31b9422f68952563a0b249d58a426f0bdc86189719533dc7adc2f30f482ac1dbda14cf58f7ed8be584bf991e8e930ce24f7e2eade94528eaf64f5ac44271f095bb9905ea8e408a01540038e5b112b66c95d20e14cb4b203594ebab6bb93b4f4c88c1f1411cd690df261ae37b41fccfd9693ac34b3530316cd07c0c00bca3f07a3a8f0d6785743d0aebf511823f3c6d07ffb568e7dbcabd1f5ed02501474160ca3c07f5a9d1bd321f5951a85358eb18f91eba8202cd2aa9a3bd0a0f35aec8ceab2be3bbb8f2e22c228e66c78652813ab6a936cc71ae4405a5644402f95418544dff49170a2dee54d02169f53762d08c4551384074c11d44932a73bdcd48886164d0c1778b0703416df6a03c0e270c528d79c4fa800e188240254e3103710a64c8f897f8d710b8fb6103b5d90dcd7edff6cd48ff9b0847ddf8dcc75785b66c86c82e0ab7a95f848d4a593ca32b38d11b2c048ecc83883ae46188ab3ff76de1a28c3ea449aef8d66f1001e35201bc2691e9f71c7966feb977b8a901828b5406337d9772649bff3668baeebed02d967b7e2208866a9ec58a36a061d3f25b57f069811986cf0d70d635cd5ea904718b95e622408d1351f3bbefefffbd2f960e6172af25160fbcb7513ee90405746083af742f251007cd68677fce19d801addcc6dfc90f09cdad9264a9363955cde64e4585f29549290db2fe6a1b0ce312840118093ff54a843a7f42255bea55684af39847ab0af41d7baac7c5e170aece51a26fb46de5ce84d1f3ed253c51362e5d20af411a142242062ab266b51ac0ae9da7642fa44044d245faadf94c84cd3de69ffc826dbac4b6a72be6ec212530c3edbf76633cd4aaab9372bf740fedbf03ea5ca95b88fb28437b555b3fd6f178e24fda6314b8c20bfe4dbc6ad65e6768ece01e01a30b80337d755ba1f88776d04114eb122a1319b716745d53aa9ab55235cb8dce1660cf541df266bbe87228ced1d52e0866175ed6b5d92828500822f8cdcd0995ba7d1d4d6d23667a864cf45f89e7baec4f514abac6194eeb135fe46baffae182c04c6917bf9cd696fbb3fd07c01cd3fdbde72755d5135720820bc546dc0ad2301ee2613e9f4825dcd1ba586dba16bbc200ef2b238a6bbc6d84570c316191989b072019820cfd15cabfbc11622ca4fb8cb5736008f2b74b4d2ac525288cf8d58e294fb6ecee7d559dc2ee66aa3051ac2146b4147ff276c938b0606b09ede8c303142651c841d9aa37508b0847c80b3d8e5b04de1f1f7b52ac0079ca6be942e4aa450836611c45e003ea6c0974fc4ca14c79911422ec9227ab50c0e7fe86640eb6c000ae0735e939d9d72e59ab680c86fcf8c4f83e0b7c1356b746b8b260a4f441da06b192f6a113e72db7347e78632226a5f0164f5aa45faf2bdde1dcbd41d3276670b1a7498075739c06afbf8c4a58191ed83de54cb3498369e814a0dbdf50cb122f6c9feb55fb5791f5d6b49ce1282a655e765a0b14ed3b3f3d889e6bbd774f5af569c41e209a94b0447099510a690d93bb00ab80d7b7c0aef13087919c349984b3b56cf290e9b2676486bc84cf1504b42430bfffa1f839fb85c03b4ed1f5e132fd76e016db72c6e04f1bd4f2c24b7263e49793f13b7af717ec381b47ae3bcbd4885e809f117eca6a1ba9fdd490e9a79426c122bb2e427fb421c7cee65bbb894b8059a8af7707fa4c971d14032b61590cee0d72e6b297373714db27c1073b51acb23f024381a953a5dd00df54524c2919d68ebc16af830bbbccbe48289724139c01f8b69ac38adbedb63793098a5d1196bf53fd34c5ef64bc2a21d5ad1a68f4b6f8ab45d12f3ccc8046cba8d1b12046c72b6a1a4b03585c4db5871408d471c65f87c0d9650b0742500372da3b9cedb0cff795e2caea96752555c0ad7bd0264d9508a67767dd9acdfc0c1c2543e853f0a8418bf000b414ef4483a7ea325168d7f3a5ef938ef5eabc60f370d250305cdee7f55465b370794bb0e7c8cc0a6cce60c16ff4956033a75de20c681ce8f632e0f80be4d22cb2d6f901837f7a7e703507d609d4c10ac50ce7917d3c52c80c99db93f36c4178b110280ee10200d42df239e20ccf604fbc24c6998d9e12d2687fdd0fa85480a80059a18a023bf6a58836be9456fe042c014360cb902e2bbc03d20b9c8e67d1c6f8eedff48cff051cdf761b8becf9e0da2593d6a322a8e6bcd844d441520fb0444ba869de7d926b2513af16451aacfb3603090c76351ec73dbe01e21088cda0070cd71747d199b1d717f4263fe3ff28989b9f6587da08749c4914d7ef000680cb8fd7ff81a51606b7594b6e35add2137289a9493b593432f3d2c3aee99c62a05dcf014d2e1d72d1de253d522f9a1badf6e822f70f44b51044c389ebf63cb4ca811fb1c420e98640f27595ed61ea3a72b511cbf061d0119a2d145b12ee5538ec6bd9ca006d98f464a9dbc5b37a2d9199b4af9be943cccac354c7c7cf50258a4253eec4228f77182ff21d4d6eea89346e10a99c94373341dbb1e3e2661d45d9b4ff86b8d23fad3cf52ff6a6ea07e4e9471a0da60258abba5c997883cc66e5cf01d2f9dec50462459b13834a6982fd4bcf200be99a356340013a45ffe524efc38f133bae2c37b69464de343ae9362078582fc6255514cdb69c584d668333c78754e908dde2c43235a1a813cb0e87597ce0caef78f2f970c84d2ef2d01869e614d883491860315fc3bb17dedcd5c08cb97b1d0dec00f2b2d7c0dae978fdc7726b51c03bcf18015f488db986e126ad271eed399b9e856e14b9b0063011bab73a7b81ded7ed13e8d433eeb92eb13a81e1cbcbe3ddfa5b376ccb67e2edfabcff205c3ef8ad1a96c6f2840158521139245223ea9a933373e0d9201067f4e60ac12f7a70602d4bf8e9b733bd2ed1a70e0c1f752cbed99cc26a794f6329229ae12f142b72a5947e79006aa797d4575b9520f2beb2cc36bf6dd700505531162df7870e74e48e68acd8e30bf145484190cdd693e9bfc9808e5ac0d16d23b5c5f98f7478d91d6cf19decc1cb597bff9de9d891dcf1f8dafe0fecc81d2ac121f7f144b054fe8a9e4501932af67e6d648cf7c75c9aabb8f7b8e489e93e8b942c54053537899fa88e01d8ff8e3f7c6058a3b471d2b9f5716a11872e1552d1261a759c6312260d7057d7d4ee2d7900d13619c5e37f28185cb18c83f347d9e8a0a25e8b320abf26170a925ace36767229d0f3ba0e479fc2bfcd643062bb1616e4b844f746e9ea3f5e2edc11ab206590ea024704b79d6dbc98f2049e37866d434680f361db1b97f388fb4291430765dc1b03520d41136a5b87edebd37ac7e7c949c41ec1eeb833e323489d8a67986ac8264f5732b39875088c31181a9504f082004d1574fdd2e05d164017fcf5afcd671348cc094348c21827bbd77d222e833b3d072625d6db8b252716af4441c48301398af19982a6df1150b5e6ef4c32123fc6f024d9aa1aed5274714c9af56fb496e11844877e522328c87253eaa11310fddab7fa740a38eab0c0517ed6d7b95789910f5660c373d743a666140b56d2cee996409f5f73ae1f5898616d12a83211d44600432c2b9c7f01719850a67e45e2e1dfb22c31245185582cc1ed22183428b8e9fad439f05dc550e00ee401281c796e966f3ecd6308a91d90ce00dfc64c326efcd8506a4f5a96f7f5fb97f6db2e5ecf1c7fa9249c670f4dca6d690fee6dc18fb76d3c88ae9ce9eaf1d80fc2dbdf3116faf3927f44025242fbd67f815de900e2cc6a45458920a80117752500de16b93d9303005b5c46910f6aa930ed35abdde6c54cb8d2595bbbdde3fbb72e91fc93d499f787153773ec30dae794b6aed2480239d66670986a099d541d1d472047373497f2d14612e23bbf1fc77f04760db8eede4993d2c71c2b63bf660b123fd074e649e3320437414e66d64e0e7ecd57b6429670296d770ca9f496a1ed5f5c2a43f65cc0281cdb244809f883e0b4efd83a1b8d5b3302721346c494abf75a188e6d02afd6237cb2ccee82e7ec8cd89f6ee456d55ca818b7d889bfec35a6c638f6a9b3e9566332b566ea11da6d47b96a54fd80cf20db28dbe0f3d2032a005c4893c69ae49c8ab07fac14ebbd03f0883136e31691204845dedf8000a7b49a29e4b0e01cfc14d737d14a641a7f3bf2e7e9937d56ba5993ca44f85c8f35204edaf8268af603132e530082f0076c6acbd5035eb50740c577261cd2598601d2f5acf476a06e7e43f80c43ffa350ef98ee69493f9c91af735ec2b7f1970cc05d8303539615d56fad2afaf2aeba771d7f8d1ce9fb80e181a4ed41768b3b4b4e9e80336a218a0bfc3e989ff18463f9c035e494c14e062cbad5410c9c030129f960d969cdc57d08c4c460cea02ef159b8f827c2c04e7a3d3c53259d1f0095b90ae60214b36389d1be1ab994780ff88d11a8da68b11f6106f0c49563ab47a40a51f40d79f312fd04f3e1c2e8959d42e3abb0e8a1df4a56f0cdeb7d03186e6ccd069e6d0bbb450bcfa1b63716e6b7bd97c987f710bce060579c2099d28562428c53bd235233d6c7ca94b8b736dd9b8100567e806a762cf80a8485b39223cb44dc9cc8b2329e08afae6e691dd449c300675c1a57ea6905aa2b1d75aad1108b61af5c8ca9c0023ada2593acb7a9e72b18a31a81ff3d9ee9aa517b73ffff5db1219afed08280081411ee1cc9d41ea35e19234b211a4f14b2845e8894f3fdc93da336422cd6b6583fbf2491110b1fa7326506534980e42d30b40b865f117a41a2f956711aca3e46f8ca67779d935ed051203ef307258f9c420189bce1d009b3ab7702c4b32998eb3463a02b85d60c9594ba9718f1105456ef4de1f8e566e6f9baee297daf950dadf31b6bf3b40458edc3266ff29714354b53615e81ed164223c28b03772c41721fc9ca76b20de943b98f2b02f7269bae348b824b618128cc4e684706d3dce1c77531d06bd7f45b559624e234ef8e6054991b4a328958fa58d7420a58597b4a98b21696abf572242851bb7cf301ed3ebc2e8a2051797ee4336020b5b1ce9bf4e76864588a6b93b76c285d8a9d4b2da8b315cd427b259e958a6fc000c1927ad0f2cc825618b5ee5a51d0eb519616b7fce14c2f3329b67e1be361a2a869c39cf41812aefbd496d6fbcb55883ef3bb2a45f88c3f3bcffa642782b40d83adfea4b60edd2331314479551728805ea62f90f6ffdb972ef859088f836f12e755150132405829f1ab206c1e28735d296b198c504d45f7ea442d3a544b86dd5671049dcc14addb3123f44ea09d14a177c5254e383e8a0fd7f8edde27ec3cf2369365eb0d7e60fdc635fb91421ddd5e3ee605fa5c952374aeef64a71b5dcbd2864c62749fd333e9d9f3091bbb2d46635e53e793ad3c341f8e6fd9c58a5cabde338fa6a8fcb2f293fc428431d2ac89394268b12e014a7215dc38a27df9d1a2193c03a5bcd46e8d32ef419374f1c912890ccfefa8546de7c91c2b1b25c631cabf679bdabffb6fa257bc91661f70fa2dcad28c82c4fa30682e3068b0d8df8067cb18c705a0d636a46038fe0e1614f894c21de79b4b480ff92049b7b1b21da891397ddab27237aa605a0e5bf126278e2458fb0fe7cf4830b2baf7ccb83574a411575b9332015e02ff2f043c2b2c3a7ba05b3f1e2dca1ed19d5308c9f8fb4f391137f00dc952b98331baf5f7cef3efcccee950e2a3702e8e6d5c3445a6ede917ea4aae202c6aeaeff5cb2ea0197a6efae2cc4a75a246faf832942928dd38f094b2a32febcbb678007056d050b2db2c1bd97ced2c2298879c4b29f60691ca5c302e77517dde91e0dfb6dca75e4f9c2fc52bec36fd406b136802081aaa31bfba5041b80e794d5a271b5042acedbb99899085c728de9ce8849dfe08e5985f5cf1aa8361f0c12fe3aaf59890cd782bd476d5564c03f810f22c973a32c28faa386b9b8f0e198dd68eec0c4dcd9b77192f21bda66c2884be22e952f87338f7795c97c68f73b2e51d95b2c9404e59c1376a7bbec4eebc1c60b7fa17046af61eb6d14be06978e1e6d7fb5c15c2029739fb16cbf64cc8aa12450dac422794f18fbc2670204bc96fc889588fdfc645096a4219d8f401f78d96bebc152dce4744b6aa13e681a79c59f3f535b94e3ca34f21a9e47f6cb501989042df3fa544fd5a54ff44d963ae29d8d439fff9fef5c84b6a0df953a285ac3bb4291514d69d866fcdf2e61cd05845ee76d1e9e73cec1d6ec3b218a851f5f2b336230edd3f66d302d42edca1f4695bf3effde0f6b4ebefcebf7c7083567532d1b27f06d46af4f7e0e7390f6e6e4f6d3c8a363d759a81d002bbdd7e121d62c1911a71a53b3347380fe0fb76997e5618517bd3032bd7b03ed5ffc3846909e1de86c718ba8e239e3d6b4fee5e9d0b5730e16beae3f4656a0fb1719286f189abb4c1c84131aae6573a1f0709a4a16d8b9d387c19269fcb6ca16d027658cd1701aaf85215eb9e405e548fbbd48874cbe599fdc316cf7b4acba4320f6b64ef90de2cd4a0abb02b9d0d0339cfff0b471dd9e1271674eb4e82419b5bb532488ba5dea5fd523e0332df633a01e91d4a91ed861f2c78bb157f7bb7e2cb3ad5e981e992ff00e98524ed12742f2f841910d4b7add33929ab22b25d2f91b42c99fa0d902b37119ed22e8bbde68daf3700469504170fa3ba0e7b502e224ecfa2bb03405e93d42d6df084072bf6eda31bf59eae35ca61f5e057cfd458cf1063d75aeac64c2f4aa602aa3bee8da15c220deba1b919d15e10146e0d50b2a3ae1a8d6624b52f040a76fd54f5f8d30e6ab9e04cb978060e293062580945716ecb94d2f4a7317713eb16f1f9227aea38dce378859f511783ee2878ba854824096765435d01dcd57c2e9968b1b2a03f6ca0e2843751045a7205ad40eab356194c447b6aaf82f6134bd8891727e8f5c83c36e990d5373d6aea6d2da170cff7075b76b5c7ea4938e10a8b0848684497b558675ea3aafaf991b27aca7fec38671fefe91bb13c14db53e51df63b20cfe4107021dd0ce5e204eda73fc79816191a4b8d670e0d8132bb5a0c2187cf52aed7b522cc118307a4002e8bc1db3303031225980bddc0af340433c6d59766129a7081f8ea5d34b647ce1e210a44bfc0c9e68cf700e1cb1283fefcb86b2c0843fd308135e2fc2b39e03cff6a6d2cc2ded5db3cc5a4bdc0e733b952ac36820081b46957e25200f3a2a79ec599c72b1f3743c59bfc2a3390d34c52799b1fa1a47f3f31c880f469d36c3d4a340a6dcf38ab83fb5e2add2d1b29efb0026f5422b5fff89fbe5daaa0a2a9f600c7f1fca4f9e79ad652a98f254caa8b20d0af3a2ae9a92e5eb03bb66926813f4315bfa731fce362bb01bae7b586d91562fd799d8f1164d7ab863a688ce568e011b0455a71b8caca656f186a87f0b9d387b524208b785f144f2b58c2bf07e6ce3739632eca2063020c61b1cd01b82665a42844a50da157df648d37544adf13a1a4f702c8e0a2c7716df0f711f781867736e75fa4ac450b226bb46c18d6555abc5306f1f2b345300417a7ee8cecc07def433d652ee9a8ed0e16e085ec27034e4c7caec406af81d6d87def9c753a80a895cbe1c8d8b696cf0d4b0e34eb9f092f625995b1b5b6cd4fe407c193b1366a9a139c72788da63c78f2fc52ccf0419534c0a0e836fbd6bb789b39839bac02f4ef6733bfae01e9ecc3001ade0a5aab8d40832c891fb3f15b76838b591a93b915d834d6105f4be7c7b6dbdf04a54c7fc41ce3096e735be8c20b0197b2309a78fcd11814d422c73e75228d72c5203c32ba167cc91647c06ee3a734a8be22965b0650a8ab481cd15a286f6813bc23a21275a73de2d1e70d28517f61c28d303db6d7f53028d8ed4db2cd74fadc7bbd02bdf506a5f546d1b901718589869f168ad8db42cbb1d5b53b6b5189b32fa7f12aaa4b34d5e2337777ce01313996cc276a5bd9ce44717d022efa4359e0e53fa7ee1a93e22df7fe9b59b03d1726be975bc6badb7585610ab2c37ec77d07dee8f51d55cdd5f8e8e21467e22ade9e55495549d444788323f40f3394db8921e600a360d5af9a52e52a704413a5490ded9ccf09d791c66135d8fd1d0400efb5ebecd08302adf6b20c25d90fae8981f07851b8fedee85d0baf3df83826924e5d3675cae7f519b3aafce544c750676988619fe1a0fd36271d566fe6c50d077eb14c10ff7c82d10ab430303a6c5f843a015d7be5173a5fef733128366c98e5b41ec94742f297ddcb03604700a86ebcc6f6a5edf0e0b83980c3e2ee7afd295326f8fd35dc38597fc1a939c0561625080069634b51b5ea6a8e98d11e0080777aee2a815ae72ab5472eeaccd37ea2e300f4a04d33519453b5098cee060fe1cabbc5ce79b202d4505ab22df6b95e492f2f220d1e9875f2cc910348368cc1df9f4938ddb1fe66fef66c61d8f581626a52e69006f0c8c019fa4156299bfb03a479d78bd8dbf0a6f6cb723038776041f01af1cbc0b68df3f087dd1fc7dfaf17433968c401ece870ae79e4dfe513f002425583f17876c38a365b9cd7c26971825c527fba46f6d667c874e284bc9bc3fc00108d00fcfd2ae3d4221026ffda0a9f6ad238f09b421ac1f94ff10e2fc23a1cab04f65ab34e43f2c536b0bd753d27954c8e488192492d00fe189b661ac123abda3a5c8c956d9c72a8e13b1e587bbd696003d3a8cd3941a122928e57f69eb45f138fedfc93001ec6075866bd4f02426f8f0e3bfa75bc4bd98f6151beace819d51f571337dae21c4b929b2f13028a84821474adda91c0931f07f39d6c19fc2d33c555caffeb06ac1991e2e123a07ed51a4a0d52781fe61d64a0bddea7494d08402b3a02b4e5d874e063af7203b041764cc299dff7a8cf5c673384fad22b00fc0d979aec8158ad1705f78bd9c543194f2f595a7cfb26aa016a20644c747c5a501ffc0d487af40322161d5a390cd6eb51e401acf95f5232e5b21997521dfb79218b7f5410e1da82b41d4be8b27234fd2c3817e6a1c464ffce1701eb66002ec59359d13282abf9d1388c01541e16c5024d06c14d1299a2bdf41fc75d778a129132924a74440f950e80d84ef71431902ccfd762a6c57a7379d0e1ebc404d283ba8d0c8f02fc27df3c3e01e003d1db6e209cfd072b06ee6ea08f532a4daea82bf879b39f5ad24da41b4e262f0ef09915ca3180a8841e3e4f9556e70b8d359215ea15a4911451711902d0c054f1090892bcc9813b9ea7e228762f1115fa37fa3c40aea026fd9a71401a3f5489f78d456216eebc027afc85d19d08e4d34ca02c190d31483936b9efca2c05e648cfaec9ab361ae9e011a9425140233ee00e76c56f49800c0000000049454e44ae426082', NULL);
INSERT INTO public.blob VALUES ('\x874ed15617c891c1b9bf923353921f6568b6d22e08b3b60f74347f009dc90416', 22, 'application/x-protobuf', '\x0a140a056e6f646531120b506c616365686f6c646572', NULL);
INSERT INTO public.blob VALUES ('\x889962f25072cf1172a6c6f93d200340c22c199d06614eebe8a3c523282c0c20', 244, 'audio/wav', '\x52494646ec00000057415645666d74201000000001000100401f0000803e00000200100064617461c80000004c94b7952e97af983b9ad29b739d1f9fd4a094a25da430a60ca8f2a9e0abd7add7afe0b1f0b308b628b850ba7fbcb5bef1c035c37ec5cec724ca7fcce0ce45d1b0d31fd693d80bdb86dd06e088e20ee596e721eaafec3eefcff162f4f6f68af920fcb6fe4a01e00376060a099e0b310ec2105113df156a18f21a781dfa1f7a22f5246d27e129502cbb2e20318133dc353238823acb3c0f3f4b418143b045d847f849104c204e2950295220540e56f457d059a35b6c5d2c5fe1608d622e64c5655167d268496ab46b', NULL);
INSERT INTO public.blob_ref VALUES (1, '\x51fc032cc1c6e4c43dd04f0a0f222bdc415d57da72c41653d1cc8b76c04db1ba');
INSERT INTO public.blob_ref VALUES (1, '\x7db73ddd8b1ba213a8df0469cfe435acf8cca073d027786be45f5921d3ef855e');
INSERT INTO public.blob_ref VALUES (1, '\x874ed15617c891c1b9bf923353921f6568b6d22e08b3b60f74347f009dc90416');
INSERT INTO public.blob_ref VALUES (1, '\x889962f25072cf1172a6c6f93d200340c22c199d06614eebe8a3c523282c0c20');
INSERT INTO public.block VALUES (5, 4, 0, 0, 0, 0, 1024, 0, 1023, 1700000000, 1700001023, 0, 146.14285278320312, 0, 146.14285278320312, 74390.14284844697, 6, '\x0128b52ffd64184fa50800940901000000080004000000020004008000f800a900b2008300040000004a0024dc929292ff6d4a484a484a242624242426242624929292949294929492949292924a484a484a484a484a484a484a484a486eff914affdb00920049b6242424ffdb492492492492dbff24924992ffb649002400926d4949c97fb61209040201005e7fdd00607fdf007c010000000080007f007a00790079007800372070032948720769a79276159549bb4a7e1e97626c2a3cef21434fa874a183d4f4fea9e4e77129c6a6c2f32664e0898ce942733920806198c2125781b673600e687501a92800920f8c7e02af03821d6eb8e0c31b8ee05e69180483e3a81dfcabb67fd5f6576dbfaaed5709ffeafeefc7feedd9fef565010e355088c5');
INSERT INTO public.block VALUES (5, 4, 0, 0, 1, 0, 1024, 1024, 2047, 1700001024, 1700002047, 146.2857208251953, 292.4285583496094, 146.2857208251953, 292.4285583496094, 223617.42852783203, 4, '\x0128b52ffd64184f3d0b00f4100100000008000400000002080004008000fa00a900b20083000400004a24242426242624262426242624262426242624262426242624262426242624262426242624262426242624262426242624262426242624262426242624262426242624262426242624262426242624262426242624262426242624262426242624262426242624262426242624262426242624262426242624262426242624262426242624262426242624262424dcff6d92929294929492949294929492949294929492949294929492949294929492949294929492949294929492949294929492949294929492949294929492949294b6ffff9249b6ffdb49246dffff2400d17f5000617fe0008600780078007800770079a820440e930ed043613912681d4828f1ff4bf10ab631a8dbc73b6964edc67a279760a5fd2e22f38608b5fa2e0a63cd90200ded4908a23847a66894456318e5e77ff6fb7ebfbf8bfd7ef93bfeafe5df8efbd38857ecd82c1e47');
INSERT INTO public.block VALUES (5, 4, 0, 0, 2, 0, 452, 2048, 2499, 1700002048, 1700002499, 292.5714416503906, 357, 292.5714416503906, 357, 146803.14288330078, 0, '\x0128b52ffd6468229506007409010000000800c40100000002100080fca9b2834a92949294929492949294929492949294929492949294929492949294929492949294929492949294929492949294929492949294929492949294929492949294929492949294929492949294929492949294929492949294929492949294929492949294929492949294929492949294929492949294929492949294929492240087004fa83088cf01e085f60c12a83df1ffff3f6f31bfceef9881d92ca74880202808e0428c063603afc0726004b0e385319c18bc62d16f92ae36052c3b4f12');
INSERT INTO public.block VALUES (5, 15, 0, 0, 3, 0, 50, 0, 2450, 1700000000, 1700002450, 0, -2450, -2450, 0, -61250, 0, '\x0128b52ffd640003ed020014030100000008003200000000640032008019f800a900b2008300ffff8040006f009c646438323232321f19120c06007b010012000343c0bd2061803c20182e11909c107cb95a1b887020c2810807221c88700550a805541688700070427070b1');
INSERT INTO public.gap VALUES (4, 4, 0, 1064, 42, 'payload crc', 1795787122.85256);
INSERT INTO public.logdir VALUES (1, 1, '/tmp/tmpki74ng_9/2/first', '\x64d5fd178025f87d27ed3c5b7d4e29d59445ae0e02d627f49c7ea1bf32426a40', 1795787122.843298, 'polling', 'reading once');
INSERT INTO public.logdir VALUES (2, 2, '/tmp/tmpki74ng_9/2/second', '\xee62074ae67657769f53ff410e678224ccf2c541c097263938c4130fcd4d1838', 1795787122.983729, 'polling', 'reading once');
INSERT INTO public.logdir_rule VALUES (1, '/logs', '\x7272727272727272727272727272727272727272727272727272727272727272', 1, NULL, 1700000000.5);
INSERT INTO public.metadata VALUES (1, '\x0355d16d7915751533886993bc4869e177c5afb168cf2581ecd66a1feecd5b87', 'hparams', '\x22020801', '', '', 0);
INSERT INTO public.metadata VALUES (2, '\x10159c33202807ac4fde1641a034bfc6c568059c22ff3be6f27dc9b9b09eb37e', 'custom_scalars', '\x', '', '', 0);
INSERT INTO public.metadata VALUES (3, '\x48953e7feb607c8cbeb4a4e83f120e14bcae3bbb2b6d3f84ed73f9633e89aa08', 'mesh', '\x12046d65736818012a027b7d32030105033802', '', '', 0);
INSERT INTO public.metadata VALUES (4, '\x523064f902982d4eb949ef9b60f9c0864161d389f4b48bf938c85d0c5aadcbaa', 'pr_curves', '\x107f', '', '', 0);
INSERT INTO public.metadata VALUES (5, '\x65e812a0d4b41f2c6c1da2797a3f3d0062cda78a4911875aec53cd99bf94713c', 'tensor', '\x', '', '', 0);
INSERT INTO public.metadata VALUES (6, '\x79389fb0bcea2321f072e2c8cd1755dbc508e07cba64c5e97089ecc8dc04ef28', 'text', '\x', '', '', 0);
INSERT INTO public.metadata VALUES (7, '\x9d2fb77f96b6acea10f7d52733795463516794045ec31215a0c149d2c37d1ac1', 'hparams', '\x1a1f0a110a0472617465120911000000000000e03f0a0a0a047769646512022001', '', '', 0);
INSERT INTO public.metadata VALUES (8, '\xd8ffce1e58eae864347ce95eec82b92d347810976b4a02b07523a8ff44787f8e', 'graphs', '\x', '', '', 3);
INSERT INTO public.metadata VALUES (9, '\xf7e8a5bc6311003909628a27692f0f34822a2a5081b844079bfea6e84812e86c', 'hparams', '\x121e22080a0472617465200322080a047769646520022a080a0612046c6f7373', '', '', 0);
INSERT INTO public.one_time_link VALUES ('\x6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c', 'invite', NULL, 1, NULL, NULL, 1700000000.5, 1700003600.5, NULL);
INSERT INTO public.password VALUES (1, '$argon2id$...', 1700000000.5);
INSERT INTO public.project VALUES (1, 1, 'first', 'team', 1795787122.7960436);
INSERT INTO public.project VALUES (2, 2, 'second', 'team', 1795787122.9489133);
INSERT INTO public.project_grant VALUES (1, 2, 1, 1700000000.5);
INSERT INTO public.restart VALUES (7, 1, 0, -1, 60);
INSERT INTO public.run VALUES (1, 'fyvjCT8w5kdF', 1, 1, 'all kinds', '\x9effd74f041c34c93dda69f42dbcd1292a447a7103539bea7ede28bcd0ee8a58', 0, 1795787122.81952, 1, 1795787122852, 1795787122.4661891, 1795787122.4814932, 1795787122.481507, 'stop', 20, 0, 1, 1, 1, 3, NULL, 1, 1, 0, NULL, NULL, NULL, 0, NULL, 0, NULL, 0, 'vm', NULL);
INSERT INTO public.run VALUES (2, 'MU623UfbHTyV', 1, 1, 'all kinds/trial0', '\x0377f242a9b4cfaf41cfbc24836950b77527c263c240d407c177374a73e70150', 1, 1795787122.81952, 1, 1795787122852, 1795787122.4750304, 1795787122.4750304, 1795787122.475214, 'stop', 4, 0, 1, 1, 0, 2, '{"rate": 0.5, "wide": true}', 1, 1, 0, NULL, NULL, NULL, 0, NULL, 0, NULL, 0, 'vm', NULL);
INSERT INTO public.run VALUES (3, 'jjtl2eCgOfxc', 1, 1, 'all kinds/trial1', '\x4e568798fc1495972ff6e6eeb1a970bafc8cd806485106e47e8fd97ac8e77721', 2, 1795787122.81952, 1, 1795787122852, 1795787122.4811077, 1795787122.4811077, 1795787122.4813135, 'stop', 4, 0, 1, 1, 0, 2, '{"rate": 0.5, "wide": true}', 1, 1, 0, NULL, NULL, NULL, 0, NULL, 0, NULL, 0, 'vm', NULL);
INSERT INTO public.run VALUES (4, 'Cd83tSzy9A09', 1, 1, 'damaged', '\x41f0c27c00e8018f7715b5f50f67b5b54c229c1b843a014152785d9005f58fde', 3, 1795787122.81952, 1, 1795787122852, 1795787122.5091906, 1795787122.5181758, 1795787122.5186884, 'stop', 49, 1, 1, 1, 49, 1, NULL, 1, 1, 0, NULL, NULL, NULL, 0, NULL, 0, NULL, 0, 'vm', NULL);
INSERT INTO public.run VALUES (6, 'JvgzvW0lcqkQ', 2, 2, 'int64', '\xbc2229666b96007e875c5f62897ee5b7648db2baa5fabf3e771afac323afbd57', 0, 1795787122.9701126, 1, 1795787122987, 1795787122.5190876, 1795787122.5221076, 1795787122.522131, 'stop', 4, 0, 1, 1, 9223372036854775807, 5, NULL, 1, 1, 0, NULL, NULL, NULL, 0, NULL, 0, NULL, 0, 'vm', NULL);
INSERT INTO public.run VALUES (7, 'NGb9KsmOBd6N', 2, 2, 'restarted', '\x9bb2e99b63ac23910360b0d832fd4c44b123894957eee4d2d6733719346c2dd3', 1, 1795787122.9701126, 2, 1795787123006, 1795787122.4957707, 1795787122.5089796, 1795787122.5089922, 'stop', 160, 0, 2, 2, 119, 1, NULL, 2, 2, 0, NULL, NULL, NULL, 0, NULL, 0, NULL, 0, 'vm', NULL);
INSERT INTO public.run VALUES (5, 'fSGJIikcIO88', 1, 1, 'long', '\xfc66f021c67d064c1490a12b5a4d4d2f5167ca692a16ca12f1f3a4cda29a6fa9', 4, 1795787122.81952, 1, 1795787122852, 1795787122.4845617, 1795787122.4953744, 1795787122.4953947, 'stop', 2550, 0, 1, 1, 2499, 4, NULL, 4, 0, 0, NULL, NULL, NULL, 0, '<b>&‮💩'' " \', 1, '#123abc', 4, 'vm', NULL);
INSERT INTO public.run_head VALUES (1, '\x0228b52ffd24e3fd040054080a000000a020000000020383000000000300020002005c62c2da419ef87ff87f00f87f0101020304050708090b060d0c0507080301090e00000506000003040802010000d5079015f19cab9c2c4e0002fddb0203050404059e9e9d9d9e850f4fcd62b34f2beb01090a09080a0a0f0b0a0f3090502c9090a8f0904a490000000000001700000a000331c665b92be9806860f4506353ae023e06039680308973710c');
INSERT INTO public.run_head VALUES (2, '\x0228b52ffd24a48d0200c40304000000a020000000000202000c0c0c020001000100089e5c62c2da410a0a0a04020a0b000901079c7791899c779189f0f8f8f83f7f7f7f00280c290700af20b3156247f9a09219a03018b0048401e09e0df6');
INSERT INTO public.run_head VALUES (3, '\x0228b52ffd24aa8d0200b40304000000a020000000000303000c0c0c0200010001009e5c62c2da410a0a0a04020a0b000901071ffd160d11101111f0f8f8f83f7f7f7f00280c29080000f12b44648558513ea40c05280c062c0161b34c3c96');
INSERT INTO public.run_head VALUES (4, '\x0228b52ffd24809d0100f00100040031003100310040fc54d9410000404c00000080484080484031000900402a780188b2320e28309018601878d8035882003e5e');
INSERT INTO public.run_head VALUES (5, '\x0228b52ffd2491550200d403020000002000030300020000c01c1c1c00090040fc54d9410000fe040fc4320900c4320900c392c080b0a4502476a340c0002400a300c05000760040000400e08214c1018187c012a3389b35');
INSERT INTO public.run_head VALUES (6, '\x0228b52ffd24804d0100a8010010000400040080ff7f00000040fc54d941040008004046f0c38a3960c0e0603060e0610f6001de838046');
INSERT INTO public.run_head VALUES (7, '\x0228b52ffd2480c50100240201000400010000007800a000770040fc54d9410000c057fd000000c05dc0804d40a00900c0000808b8b27211283090186005c8d80358d929c162');
INSERT INTO public.run_note VALUES ('fSGJIikcIO88', '# <b>&‮💩'' " \', 'you', 1700000000.5);
INSERT INTO public.run_tag VALUES ('fSGJIikcIO88', 'best');
INSERT INTO public.run_tag VALUES ('fSGJIikcIO88', '<b>&‮💩'' " \');
INSERT INTO public.segment VALUES (4, 0, 0, 49, '\x0128b52ffd6418033d0300f402010000000800010062310000000002040200310080808001f8a900b2008300318080404040402010201008007f0100180002270174c14030182e5b810bb002408401110644c854110b4402e0cd981a011840b902a438055406ea86531064b21301b0f1008a4c3d7a5f');
INSERT INTO public.segment VALUES (1, 0, 0, 20, '\x0128b52ffd64e7470d22009630aa4ab096511a0394e3077c9bdcc853ffaff86e69f66ee540d81a5c1f2c19f7ef5339857ee301ba59fd59eff624342c5466c70344be37871cac135219da555b368f1221c4b408bbb94990242986008c00b500bb4b3f19c3e427c9fd0a32642eeadfdd567c9b4d93530d039593290c544e8e364d4ec7e2f3f0d092967fb93e1186badf11cf45f38518eb89017743214f0cb81b0a4d73f7df3d81d40b0e85e64ffefb8b850ce324139942911450e7df7dc99edddd0b24f984450b52c4a94115171f7fbdfceb7517ec75d6d66e49ff3abdd9f3e53260d6d4bf06c616b71ba52e0058b014ff9affb5e5fea552eccabeca97ebdf75b18bc9b32e2ee0da23ce1ac14256ba480424c190abb3feacb3fefa0475830631c8cb791812ba01fdf8cc72726238373530d8f97ab94cb3d6daa294d29296e5bbbfefbbfb6eb95b6e59d292524a5bb556d374bd5e270c56738313cbc999f9fc00dd84863ce47841228d1b504f7fb9b4b4f407257a4740a06ef6b319ac6c9263a59f610129202d0851a450ec10307588c0742472c406131a222843328afcc86064450d2a281d604982533e88b040c58182025543555092ab254766316038504aa0450441bcf80a1d8b9d5fcf840a1d49c6cc5983054a78606519d2d11c363324b798589097254f419927c10d5b8c9a66048030e1df37b7b9fd2b70677742e7eb9d3f49a36161fd3b22861629094290b84a91c4a04aa883aa8b0f09574f7aa515a8991d076a54090aff5fe433da685648b61327ab59f98c35269cac76e264ff53274e36c584934d59f98cc713273bd2ac908e453ee3b1f82725fdfbb42eadfb534a67060811f518915547567af2c486411d8a1201aacc29dc0985bf235a0f9c4040bb6fce541e8e7fd7f6b6a24e548fb7156fff3a513d6cb6e26d1a9aaaaa306618b32c05e04cf87797a7c2e837fc05810f9276907ebda12e80baa8c129242332230a525094241d10831111899274120021201402198441a80a4210882142263082222042222002c4243122ccd6f84c026853a45a79e47f5bc3918b3c92cc1d19090390f570d2ed19bfe0441e19ff9d683703d01373ffae302444122b6817078fb3c8f908f7176429f7d9c012bce2655927210d9659b3fc230ef0841b280702e4c26c427c8507f28a5fb34e74df64fb5f0090184c3f54bed6012557028fffacfe9e26609935cb3f72961e9503a1f0ef897552bc95e736126144bf451835eb42aef7ca91f33c0618fb5509dd24c53c8002dcca3c8ea3e11e41707bffe02bcc1500e0ca204116dc1ac360a2061531040c887b07df459c5dcf48ce2e15d6d9909a18c2d5a91ffd8e675c38d87402214904e1294c67454259b1cb270dd62a350089d68a678ad21d11f16290fd494bcd42ef2d8862f21da2224a4c7fc752fcedb315669825ed6da8e1ee3da267687661e808de870c80dedfc1d927ecc8466a325cc930369c124f9249363051f4c734feeff89395f2f6e84beebd3016dd69adb335990da0d8a1c48268a4af3002a3b2e06877e44c18');
INSERT INTO public.segment VALUES (3, 0, 0, 4, '\x0128b52ffd64830125060052481d26902b8d01efea3b5716aaaaaaa5674500f6881ce4bf6ddb0336befb5ca125abd96db147122953b8f916f12395aeb546270ab8a815a6c7846195893a40db435255c4b268db07515506b9b4ed23b877fc983f2ea1585786bdc0e0f9113f8ac40ffd5f309a0c67b3788c1f31337325e95f9706babf0620009009f7d8a499f60c9319c4e618601064371d9bd135e3ea0cf8725e3a93476e0038058d0166b3426eb9bc93b6fc168600d74d0ebb0210809bf9efcc099471012340c050e13d6a34213802591f05dd');
INSERT INTO public.segment VALUES (2, 0, 0, 4, '\x0128b52ffd6483011d060052081d26902b8d018f4ff5e393646646293c2a02b047e420ff6db9ba28dd7dae45846e6dd96a852452a6b8f9f6fd28a563acd16901d7d8a1f070965599a803b045a43445288bb27d90345d904ad93e837bc78ff9e3120a555dd60b069e1ff1a348fcd0ff05a3c970368cb6f8113333378afef588a0fb6b20009009f7d8a499f60c9319c4e618601064371d9bd135e3ea0cf8725e3a93476e0038058d0166b3426eb9bc93b6fc168600d74d0ebb0210809bf9efcc099471012340c050e13d6a342138020c7d3de0');
INSERT INTO public.segment VALUES (7, 0, 0, 100, '\x0128b52ffd641407ed0200c4020100000008000100c86400000000020064008000f800a900b2008300640080804040404020100804007f0100130005a4049c030d035d80cc2801851f4cf8c1841f4cf8c1840f2606402a9080425ca0628f9b1064b21301b0f1008ad76d565e');
INSERT INTO public.segment VALUES (6, 0, 0, 4, '\x0128b52ffd2494250200c402010000002000010001000000080004000000fffe02feffff00ff0480000000f8000000a9000000b2000000830900390097e01668d06ab83b305f3800a3808d0750046391f3b1');
INSERT INTO public.segment VALUES (7, 1, 1, 60, '\x0128b52ffd64f403cd0200d4020100000008000100783c0000007802003c00809200fa00a900b20083003c000000ff00ff001f08080808047b00110007121e38cbc1890fce7270e283131f9cf8e0c407271e9c0c83b48102551c770ab8b71305b0f1008a4a834a3c');
INSERT INTO public.session VALUES ('s', '\x7373737373737373737373737373737373737373737373737373737373737373', 1, 1700000000.5, 1700003600.5, 1700000000.5, '127.0.0.1', 'Firefox');
INSERT INTO public.share VALUES ('h', '\x6868686868686868686868686868686868686868686868686868686868686868', 1, 'scalars?s=0.5', '["a"]', 'Look', NULL, 1700000000.5, 1700003600.5, NULL, NULL, 0);
INSERT INTO public.sign_in_delay VALUES ('\x6464646464646464646464646464646464646464646464646464646464646464', 3, 1700000000.5);
INSERT INTO public.source_file VALUES (1, 1, 'events.out.tfevents.1795787122.vm.3066.8.nbmoka', '\xd59763e2d645fcffa0e67327ec42f1fcdb7c2827883994ecdebf0f894ceadf05', 0, '\x957e4f5986374b11dd7a5add188a530f62658bff90b7372602d014c32a80d845', 4096, 41119, 1795787122481507019, 41119, NULL, 22, 1795787122.4661891, 1795787122.4814932, 0, 0, 'orgboard 0.1.0', '', '', 1795787122.859402, 2);
INSERT INTO public.source_file VALUES (2, 2, 'events.out.tfevents.1795787122.vm.3066.9.ratnpw', '\xaf8c36f34fe3ee5d2c7d20ed2e933bd8810cf46d09b8a7259c35253bf1a445c4', 0, '\x02b7b5bf5397e23b96083b353ca6d6590e4a1db59ec811ea7aac714f3edd9f0a', 408, 408, 1795787122475214142, 408, NULL, 6, 1795787122.4750304, 1795787122.4750304, 0, 0, 'orgboard 0.1.0', '', '', 1795787122.859529, 2);
INSERT INTO public.source_file VALUES (3, 3, 'events.out.tfevents.1795787122.vm.3066.10.dzlplm', '\x9f5bf4c3669573eba24180f84c05c72c6f08e1db7eef74c931c5ce733bf51362', 0, '\x0c1dfc9d107c613cad4b2e60b9d830969ddcedc28402710aa3df524ac45479fa', 408, 408, 1795787122481313581, 408, NULL, 6, 1795787122.4811077, 1795787122.4811077, 0, 0, 'orgboard 0.1.0', '', '', 1795787122.859538, 2);
INSERT INTO public.source_file VALUES (4, 4, 'events.out.tfevents.1795787122.vm.3066.14.jodcrw', '\xdc8e9e35d05fe1ddcbc3f387303dad1d68f15fc905b57228f6f2d2ba4830d806', 0, '\x09b8485d222cfaca36e760e999917da0674a346b83e9148500f38172c9b00480', 2185, 2185, 1795787122518688593, 2185, NULL, 51, 1795787122.5091906, 1795787122.5181758, 0, 0, 'orgboard 0.1.0', '', '', 1795787122.859544, 2);
INSERT INTO public.source_file VALUES (5, 5, 'events.out.tfevents.1795787122.vm.3066.11.ttokkd', '\x52f24c624f205d761a687c1e1d0d4ed252ad1f1f23ea7e43b694f786ae382cb0', 0, '\x28dab4ae4619262e0fef14e31628329ead50f57bacd126f0176d8637f975b654', 4096, 109852, 1795787122495394882, 109852, NULL, 2552, 1795787122.4845617, 1795787122.4953744, 0, 0, 'orgboard 0.1.0', '', '', 1795787122.859549, 2);
INSERT INTO public.source_file VALUES (6, 6, 'events.out.tfevents.1795787122.vm.3066.15.lrnyfl', '\x866e9577f5295087460749e2e18e2744f46afb878f85176931732c5fc5e0e732', 0, '\x2e710bcb84d38bf4f45392f524b20b6b7fc686d846e104c15b5b0ee671df97a2', 279, 279, 1795787122522130917, 279, NULL, 6, 1795787122.5190876, 1795787122.5221076, 0, 0, 'orgboard 0.1.0', '', '', 1795787122.991668, 2);
INSERT INTO public.source_file VALUES (7, 7, 'events.out.tfevents.1795787122.vm.3066.12.lnejjf.1', '\x819ce026549aa5087c6e1aff4b4c418487b5e7fe6c999135617d71d36429ab29', 0, '\xf0fe6d2f2dd3b382aee4b620e5cdf2b5c6a9df599c7e1286cde00c5794984878', 4096, 4285, 1795787122502142819, 4285, NULL, 102, 1795787122.4957707, 1795787122.500235, 0, 0, 'orgboard 0.1.0', '', '', 1795787122.991756, 2);
INSERT INTO public.source_file VALUES (8, 7, 'events.out.tfevents.1795787122.vm.3066.13.zpblik.2', '\x83873ab87075c9d1d7912ef872db922255859685de14f94b7cb516e9e9d43c35', 0, '\x9b66be1a87df8756ba8919359054cff909fa4059282d78932b593a393fa2a875', 2680, 2680, 1795787122508992142, 2680, NULL, 64, 1795787122.5026078, 1795787122.5089796, 1, 1, 'orgboard 0.1.0', '', '', 1795787123.007074, 2);
INSERT INTO public.tag VALUES (1, 'pr', '\x0510eddd781102030eb8860671503a28e6a37f5346de429bdd47c0a37c77cc7d');
INSERT INTO public.tag VALUES (2, '_hparams_/experiment', '\x0e8243a45333f0a03a5a4b44f71f302455e3c6533f298d7d44519be54e5868cf');
INSERT INTO public.tag VALUES (3, 'mesh_VERTEX', '\x1164980601d6f057b632dcdfe48cb5cafe22c5a341dd371a28ef9c1da89b3649');
INSERT INTO public.tag VALUES (4, 'loss', '\x2ea71c18131a7f0383294917672136b6d5beae857e6bacca02d99d83e5f7d371');
INSERT INTO public.tag VALUES (5, 'text/text_summary', '\x2eb864a3811c9a2a0b8c12a630563ce26270fd041a04fc1bd1846bbb6fcb460a');
INSERT INTO public.tag VALUES (6, 'histogram', '\x56f0e5b2847c3a0b1c4b6b89dfcdfa30712c57e4e28afe0acaa1b123d09c0cfe');
INSERT INTO public.tag VALUES (7, 'image', '\x6105d6cc76af400325e94d588ce511be5bfdbb73b437dc51eca43917d7a43e3d');
INSERT INTO public.tag VALUES (8, 'audio', '\x6ed8919ce20490a5e3ad8630a4fab69475297abd07db73918dd5f36fcfaeb11b');
INSERT INTO public.tag VALUES (9, '__run_graph__', '\x76072ab0170e6651c9eb00ee8699a42cbba06e2e2438a0a9e4166f5b468047e6');
INSERT INTO public.tag VALUES (10, '_hparams_/session_end_info', '\xbd9251b1d9e6bb0c257cbe8a9b2aa8f4dd8ad860ed84d63ec08024c14e47eada');
INSERT INTO public.tag VALUES (11, '_hparams_/session_start_info', '\xc8111bf69723fe43d80e5c220eabcf335efb45d47f76283163470ee9e5c3c637');
INSERT INTO public.tag VALUES (12, 'tensor', '\xcf4051ef5db4ce6e38aa9e5e2bc54993328ac077a19a8db4a8beff792afed5a9');
INSERT INTO public.tag VALUES (13, 'raw', '\xd7439bee24773bcbfa2d0a97947ee36227b10d1022b1a55847e928965bb6bfde');
INSERT INTO public.tag VALUES (14, 'custom_scalars__config__', '\xdcf55d72faef0d591e3f7f603ed18ad7ddf98b2afdfc3bcf463d57f99ac9956b');
INSERT INTO public.tag VALUES (15, 'läuft/β', '\xe1ca9301f3f35b6c0f0d64da068603ebe6662cd78f881f5c89027332b70f4711');
INSERT INTO public.tag VALUES (16, 'edge', '\xa1cb100f57e971cacf269e7c26e4630a25a8e9d4bdd35e32df1a80b66b896254');
INSERT INTO public.tag_set VALUES (1, '\x2a52ecd32b0ea29d2e6f3b5c3ab9a393adde87021f5a8fa80e597b8573d773a0', '\x010000000000000000000000010000000800000000000000');
INSERT INTO public.tag_set VALUES (2, '\x68e404250948b1a1a0187408dbd6b02bec3d349999c5b4fb8d894d49252ecf86', '\x040000000014141400000000000000000000000000000000000000000000000000000000040000000804141600000000000000000000000000000000000000000000000000000000');
INSERT INTO public.tag_set VALUES (3, '\x9d2f48fe272dce5a0b3c1a918a6a9a6b54e7d57d9f256eeecf3630655ddaedbc', '\x0a00000002020406080a0e101216000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000a0000000c1a180a0e100602121c00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000');
INSERT INTO public.tag_set VALUES (4, '\xdac08d546513f431d083646525eb033d96d426ebd618e6dc2e0597e3efb80fbc', '\x020000000000000000000000000000000000000002000000081e0000000000000000000000000000');
INSERT INTO public.tag_set VALUES (5, '\xcbd78ccc93aa055a178f6cc574b3e545d7a03b0c0b31afc3f3f834b359d71925', '\x010000000000000000000000010000002000000000000000');
INSERT INTO public.team VALUES (1, 'default', 1795787122.7960436);
INSERT INTO public.team VALUES (2, 'science', 1795787122.9489133);
INSERT INTO public.team_member VALUES (1, 1, 3, 1700000000.5);
INSERT INTO public.token VALUES ('t', '\x7474747474747474747474747474747474747474747474747474747474747474', 2, 'nightly', 'read', NULL, NULL, 1700000000.5, 1700003600.5, NULL, NULL);
SELECT pg_catalog.setval('public.account_account_id_seq', 2, true);
SELECT pg_catalog.setval('public.audit_audit_id_seq', 1, true);
SELECT pg_catalog.setval('public.logdir_logdir_id_seq', 2, true);
SELECT pg_catalog.setval('public.logdir_rule_rule_id_seq', 1, true);
SELECT pg_catalog.setval('public.metadata_metadata_id_seq', 9, true);
SELECT pg_catalog.setval('public.project_project_id_seq', 2, true);
SELECT pg_catalog.setval('public.run_run_id_seq', 7, true);
SELECT pg_catalog.setval('public.source_file_file_id_seq', 8, true);
SELECT pg_catalog.setval('public.tag_set_tag_set_id_seq', 5, true);
SELECT pg_catalog.setval('public.tag_tag_id_seq', 16, true);
SELECT pg_catalog.setval('public.team_team_id_seq', 2, true);
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.account
    ADD CONSTRAINT pk_account PRIMARY KEY (account_id);
ALTER TABLE ONLY public.annotation
    ADD CONSTRAINT pk_annotation PRIMARY KEY (annotation_id);
ALTER TABLE ONLY public.audit
    ADD CONSTRAINT pk_audit PRIMARY KEY (audit_id);
ALTER TABLE ONLY public.blob
    ADD CONSTRAINT pk_blob PRIMARY KEY (sha256);
ALTER TABLE ONLY public.blob_ref
    ADD CONSTRAINT pk_blob_ref PRIMARY KEY (run_id, sha256);
ALTER TABLE ONLY public.block
    ADD CONSTRAINT pk_block PRIMARY KEY (run_id, tag_id, kind, level, seq);
ALTER TABLE ONLY public.gap
    ADD CONSTRAINT pk_gap PRIMARY KEY (run_id, file_id, generation, "offset");
ALTER TABLE ONLY public.lease
    ADD CONSTRAINT pk_lease PRIMARY KEY (logdir_id, owner);
ALTER TABLE ONLY public.logdir
    ADD CONSTRAINT pk_logdir PRIMARY KEY (logdir_id);
ALTER TABLE ONLY public.logdir_rule
    ADD CONSTRAINT pk_logdir_rule PRIMARY KEY (rule_id);
ALTER TABLE ONLY public.metadata
    ADD CONSTRAINT pk_metadata PRIMARY KEY (metadata_id);
ALTER TABLE ONLY public.one_time_link
    ADD CONSTRAINT pk_one_time_link PRIMARY KEY (secret_sha256);
ALTER TABLE ONLY public.password
    ADD CONSTRAINT pk_password PRIMARY KEY (account_id);
ALTER TABLE ONLY public.project
    ADD CONSTRAINT pk_project PRIMARY KEY (project_id);
ALTER TABLE ONLY public.project_grant
    ADD CONSTRAINT pk_project_grant PRIMARY KEY (project_id, account_id);
ALTER TABLE ONLY public.restart
    ADD CONSTRAINT pk_restart PRIMARY KEY (run_id, attempt, tag_id, kind);
ALTER TABLE ONLY public.run
    ADD CONSTRAINT pk_run PRIMARY KEY (run_id);
ALTER TABLE ONLY public.run_head
    ADD CONSTRAINT pk_run_head PRIMARY KEY (run_id);
ALTER TABLE ONLY public.run_note
    ADD CONSTRAINT pk_run_note PRIMARY KEY (uid);
ALTER TABLE ONLY public.run_tag
    ADD CONSTRAINT pk_run_tag PRIMARY KEY (uid, name);
ALTER TABLE ONLY public.saved_view
    ADD CONSTRAINT pk_saved_view PRIMARY KEY (view_id);
ALTER TABLE ONLY public.segment
    ADD CONSTRAINT pk_segment PRIMARY KEY (run_id, seq);
ALTER TABLE ONLY public.session
    ADD CONSTRAINT pk_session PRIMARY KEY (session_id);
ALTER TABLE ONLY public.share
    ADD CONSTRAINT pk_share PRIMARY KEY (share_id);
ALTER TABLE ONLY public.sign_in_delay
    ADD CONSTRAINT pk_sign_in_delay PRIMARY KEY (key_sha256);
ALTER TABLE ONLY public.source_file
    ADD CONSTRAINT pk_source_file PRIMARY KEY (file_id);
ALTER TABLE ONLY public.tag
    ADD CONSTRAINT pk_tag PRIMARY KEY (tag_id);
ALTER TABLE ONLY public.tag_set
    ADD CONSTRAINT pk_tag_set PRIMARY KEY (tag_set_id);
ALTER TABLE ONLY public.team
    ADD CONSTRAINT pk_team PRIMARY KEY (team_id);
ALTER TABLE ONLY public.team_member
    ADD CONSTRAINT pk_team_member PRIMARY KEY (team_id, account_id);
ALTER TABLE ONLY public.token
    ADD CONSTRAINT pk_token PRIMARY KEY (token_id);
ALTER TABLE ONLY public.account
    ADD CONSTRAINT uq_account_name_key UNIQUE (name_key);
ALTER TABLE ONLY public.logdir
    ADD CONSTRAINT uq_logdir_project_id_path_sha256 UNIQUE (project_id, path_sha256);
ALTER TABLE ONLY public.logdir_rule
    ADD CONSTRAINT uq_logdir_rule_path_sha256 UNIQUE (path_sha256);
ALTER TABLE ONLY public.metadata
    ADD CONSTRAINT uq_metadata_sha256 UNIQUE (sha256);
ALTER TABLE ONLY public.project
    ADD CONSTRAINT uq_project_team_id_name UNIQUE (team_id, name);
ALTER TABLE ONLY public.run
    ADD CONSTRAINT uq_run_logdir_id_name_sha256 UNIQUE (logdir_id, name_sha256);
ALTER TABLE ONLY public.run
    ADD CONSTRAINT uq_run_uid UNIQUE (uid);
ALTER TABLE ONLY public.session
    ADD CONSTRAINT uq_session_secret_sha256 UNIQUE (secret_sha256);
ALTER TABLE ONLY public.share
    ADD CONSTRAINT uq_share_secret_sha256 UNIQUE (secret_sha256);
ALTER TABLE ONLY public.source_file
    ADD CONSTRAINT uq_source_file_run_id_name_sha256 UNIQUE (run_id, name_sha256);
ALTER TABLE ONLY public.tag
    ADD CONSTRAINT uq_tag_name_sha256 UNIQUE (name_sha256);
ALTER TABLE ONLY public.tag_set
    ADD CONSTRAINT uq_tag_set_sha256 UNIQUE (sha256);
ALTER TABLE ONLY public.team
    ADD CONSTRAINT uq_team_name UNIQUE (name);
ALTER TABLE ONLY public.token
    ADD CONSTRAINT uq_token_secret_sha256 UNIQUE (secret_sha256);
CREATE INDEX ix_annotation_project_id_uid ON public.annotation USING btree (project_id, uid);
CREATE INDEX ix_audit_at ON public.audit USING btree (at);
CREATE INDEX ix_project_grant_account_id ON public.project_grant USING btree (account_id);
CREATE INDEX ix_run_project_id_color ON public.run USING btree (project_id, color);
CREATE INDEX ix_run_project_id_name_sha256 ON public.run USING btree (project_id, name_sha256);
CREATE INDEX ix_run_project_id_touched_ms ON public.run USING btree (project_id, touched_ms);
CREATE INDEX ix_run_standing ON public.run USING btree (standing) WHERE (standing <> 0);
CREATE INDEX ix_run_tag_name ON public.run_tag USING btree (name);
CREATE UNIQUE INDEX ix_saved_view_default ON public.saved_view USING btree (project_id) WHERE (is_default = 1);
CREATE INDEX ix_saved_view_project_id ON public.saved_view USING btree (project_id);
CREATE INDEX ix_session_account_id ON public.session USING btree (account_id);
CREATE INDEX ix_share_project_id ON public.share USING btree (project_id);
CREATE INDEX ix_team_member_account_id ON public.team_member USING btree (account_id);
CREATE INDEX ix_token_account_id ON public.token USING btree (account_id);
CREATE TRIGGER audit_stays BEFORE DELETE OR UPDATE OR TRUNCATE ON public.audit FOR EACH STATEMENT EXECUTE FUNCTION public.audit_stays();
ALTER TABLE ONLY public.annotation
    ADD CONSTRAINT fk_annotation_project_id FOREIGN KEY (project_id) REFERENCES public.project(project_id);
ALTER TABLE ONLY public.annotation
    ADD CONSTRAINT fk_annotation_uid FOREIGN KEY (uid) REFERENCES public.run(uid) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.audit
    ADD CONSTRAINT fk_audit_account_id FOREIGN KEY (account_id) REFERENCES public.account(account_id);
ALTER TABLE ONLY public.blob_ref
    ADD CONSTRAINT fk_blob_ref_run_id FOREIGN KEY (run_id) REFERENCES public.run(run_id);
ALTER TABLE ONLY public.blob_ref
    ADD CONSTRAINT fk_blob_ref_sha256 FOREIGN KEY (sha256) REFERENCES public.blob(sha256);
ALTER TABLE ONLY public.block
    ADD CONSTRAINT fk_block_run_id FOREIGN KEY (run_id) REFERENCES public.run(run_id);
ALTER TABLE ONLY public.gap
    ADD CONSTRAINT fk_gap_file_id FOREIGN KEY (file_id) REFERENCES public.source_file(file_id);
ALTER TABLE ONLY public.gap
    ADD CONSTRAINT fk_gap_run_id FOREIGN KEY (run_id) REFERENCES public.run(run_id);
ALTER TABLE ONLY public.lease
    ADD CONSTRAINT fk_lease_logdir_id FOREIGN KEY (logdir_id) REFERENCES public.logdir(logdir_id);
ALTER TABLE ONLY public.logdir
    ADD CONSTRAINT fk_logdir_project_id FOREIGN KEY (project_id) REFERENCES public.project(project_id);
ALTER TABLE ONLY public.logdir_rule
    ADD CONSTRAINT fk_logdir_rule_made_by FOREIGN KEY (made_by) REFERENCES public.account(account_id);
ALTER TABLE ONLY public.logdir_rule
    ADD CONSTRAINT fk_logdir_rule_project_id FOREIGN KEY (project_id) REFERENCES public.project(project_id);
ALTER TABLE ONLY public.one_time_link
    ADD CONSTRAINT fk_one_time_link_account_id FOREIGN KEY (account_id) REFERENCES public.account(account_id);
ALTER TABLE ONLY public.one_time_link
    ADD CONSTRAINT fk_one_time_link_made_by FOREIGN KEY (made_by) REFERENCES public.account(account_id);
ALTER TABLE ONLY public.one_time_link
    ADD CONSTRAINT fk_one_time_link_team_id FOREIGN KEY (team_id) REFERENCES public.team(team_id);
ALTER TABLE ONLY public.password
    ADD CONSTRAINT fk_password_account_id FOREIGN KEY (account_id) REFERENCES public.account(account_id);
ALTER TABLE ONLY public.project_grant
    ADD CONSTRAINT fk_project_grant_account_id FOREIGN KEY (account_id) REFERENCES public.account(account_id);
ALTER TABLE ONLY public.project_grant
    ADD CONSTRAINT fk_project_grant_project_id FOREIGN KEY (project_id) REFERENCES public.project(project_id);
ALTER TABLE ONLY public.project
    ADD CONSTRAINT fk_project_team_id FOREIGN KEY (team_id) REFERENCES public.team(team_id);
ALTER TABLE ONLY public.restart
    ADD CONSTRAINT fk_restart_run_id FOREIGN KEY (run_id) REFERENCES public.run(run_id);
ALTER TABLE ONLY public.run_head
    ADD CONSTRAINT fk_run_head_run_id FOREIGN KEY (run_id) REFERENCES public.run(run_id);
ALTER TABLE ONLY public.run
    ADD CONSTRAINT fk_run_logdir_id FOREIGN KEY (logdir_id) REFERENCES public.logdir(logdir_id);
ALTER TABLE ONLY public.run_note
    ADD CONSTRAINT fk_run_note_uid FOREIGN KEY (uid) REFERENCES public.run(uid) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.run
    ADD CONSTRAINT fk_run_project_id FOREIGN KEY (project_id) REFERENCES public.project(project_id);
ALTER TABLE ONLY public.run
    ADD CONSTRAINT fk_run_tag_set_id FOREIGN KEY (tag_set_id) REFERENCES public.tag_set(tag_set_id);
ALTER TABLE ONLY public.run_tag
    ADD CONSTRAINT fk_run_tag_uid FOREIGN KEY (uid) REFERENCES public.run(uid) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.saved_view
    ADD CONSTRAINT fk_saved_view_project_id FOREIGN KEY (project_id) REFERENCES public.project(project_id);
ALTER TABLE ONLY public.segment
    ADD CONSTRAINT fk_segment_run_id FOREIGN KEY (run_id) REFERENCES public.run(run_id);
ALTER TABLE ONLY public.session
    ADD CONSTRAINT fk_session_account_id FOREIGN KEY (account_id) REFERENCES public.account(account_id);
ALTER TABLE ONLY public.share
    ADD CONSTRAINT fk_share_made_by FOREIGN KEY (made_by) REFERENCES public.account(account_id);
ALTER TABLE ONLY public.share
    ADD CONSTRAINT fk_share_project_id FOREIGN KEY (project_id) REFERENCES public.project(project_id);
ALTER TABLE ONLY public.source_file
    ADD CONSTRAINT fk_source_file_run_id FOREIGN KEY (run_id) REFERENCES public.run(run_id);
ALTER TABLE ONLY public.team_member
    ADD CONSTRAINT fk_team_member_account_id FOREIGN KEY (account_id) REFERENCES public.account(account_id);
ALTER TABLE ONLY public.team_member
    ADD CONSTRAINT fk_team_member_team_id FOREIGN KEY (team_id) REFERENCES public.team(team_id);
ALTER TABLE ONLY public.token
    ADD CONSTRAINT fk_token_account_id FOREIGN KEY (account_id) REFERENCES public.account(account_id);
ALTER TABLE ONLY public.token
    ADD CONSTRAINT fk_token_project_id FOREIGN KEY (project_id) REFERENCES public.project(project_id);
ALTER TABLE ONLY public.token
    ADD CONSTRAINT fk_token_team_id FOREIGN KEY (team_id) REFERENCES public.team(team_id);
