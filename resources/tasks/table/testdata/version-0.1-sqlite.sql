-- What the program of version 0.1 left in a database, as its own dump. The request of an activity is the kind of
-- change that a test undoes, see kinds_test.go.
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE guestpass_migrations (
		id INTEGER PRIMARY KEY AUTOINCREMENT,
		version_id INTEGER NOT NULL,
		is_applied INTEGER NOT NULL,
		tstamp TIMESTAMP DEFAULT (datetime('now'))
	);
INSERT INTO guestpass_migrations VALUES(1,0,1,'2026-11-30 00:10:25');
INSERT INTO guestpass_migrations VALUES(2,1,1,'2026-11-30 00:10:25');
INSERT INTO guestpass_migrations VALUES(3,2,1,'2026-11-30 00:10:25');
INSERT INTO guestpass_migrations VALUES(4,3,1,'2026-11-30 00:10:25');
INSERT INTO guestpass_migrations VALUES(5,4,1,'2026-11-30 00:10:25');
INSERT INTO guestpass_migrations VALUES(6,5,1,'2026-11-30 00:10:25');
CREATE TABLE tasks (
	seq          INTEGER PRIMARY KEY AUTOINCREMENT,
	id           TEXT    NOT NULL UNIQUE,
	owner        TEXT    NOT NULL,
	title        TEXT    NOT NULL,
	notes        TEXT    NOT NULL,
	state        TEXT    NOT NULL CHECK (state IN ('open', 'in_progress', 'done')),
	due          TEXT    NOT NULL, -- YYYY-MM-DD; 9999-99-99 for none, which comes last
	priority     INTEGER NOT NULL,
	assignee     TEXT    NOT NULL,
	labels       TEXT    NOT NULL, -- separated by commas
	creator      TEXT    NOT NULL,
	version      INTEGER NOT NULL,
	created_at   INTEGER NOT NULL, -- milliseconds since 1970, as all times; 0 for none
	updated_at   INTEGER NOT NULL,
	completed_at INTEGER NOT NULL,
	deleted_at   INTEGER NOT NULL
, bytes INTEGER NOT NULL DEFAULT 0, payer TEXT NOT NULL DEFAULT '');
INSERT INTO tasks VALUES(1,'tsk_aaaaaaaaaaaaa001','acme','two','','open','9999-99-99',2,'','','ada',2,1795608001234,1795608002468,0,0,1216,'ada');
INSERT INTO tasks VALUES(2,'tsk_aaaaaaaaaaaaa004','acme','notes','quite others <&>','open','9999-99-99',2,'','','ada',2,1795608003702,1795608004936,0,0,1267,'ada');
INSERT INTO tasks VALUES(3,'tsk_aaaaaaaaaaaaa007','acme','long notes','','open','9999-99-99',2,'','','ada',2,1795608006170,1795608007404,0,0,1239,'ada');
INSERT INTO tasks VALUES(4,'tsk_aaaaaaaaaaaaa010','acme','state','','in_progress','9999-99-99',2,'','','ada',2,1795608008638,1795608009872,0,0,1220,'ada');
INSERT INTO tasks VALUES(5,'tsk_aaaaaaaaaaaaa013','acme','due','','open','2027-01-31',2,'','','ada',2,1795608011106,1795608012340,0,0,1216,'ada');
INSERT INTO tasks VALUES(6,'tsk_aaaaaaaaaaaaa016','acme','first due','','open','2026-12-01',2,'','','ada',2,1795608013574,1795608014808,0,0,1237,'ada');
INSERT INTO tasks VALUES(7,'tsk_aaaaaaaaaaaaa019','acme','priority','','open','9999-99-99',4,'','','ada',2,1795608016042,1795608017276,0,0,1226,'ada');
INSERT INTO tasks VALUES(8,'tsk_aaaaaaaaaaaaa022','acme','assignee','','open','9999-99-99',2,'','','ada',2,1795608018510,1795608019744,0,0,1226,'ada');
INSERT INTO tasks VALUES(9,'tsk_aaaaaaaaaaaaa025','acme','labels','','open','9999-99-99',2,'','tea','ada',2,1795608020978,1795608022212,0,0,1522,'ada');
INSERT INTO tasks VALUES(10,'tsk_aaaaaaaaaaaaa028','acme','first labels','','open','9999-99-99',2,'','tea','ada',2,1795608023446,1795608024680,0,0,1543,'ada');
INSERT INTO tasks VALUES(11,'tsk_aaaaaaaaaaaaa031','acme','last labels','','open','9999-99-99',2,'','','ada',2,1795608025914,1795608027148,0,0,1241,'ada');
INSERT INTO tasks VALUES(12,'tsk_aaaaaaaaaaaaa034','acme','completed','','done','9999-99-99',2,'','','ada',2,1795608028382,1795608029616,1795608029616,0,1228,'ada');
INSERT INTO tasks VALUES(13,'tsk_aaaaaaaaaaaaa037','acme','reopened','','open','9999-99-99',2,'','','ada',2,1795608030850,1795608032084,0,0,1226,'ada');
INSERT INTO tasks VALUES(14,'tsk_aaaaaaaaaaaaa040','acme','all else','other notes','done','9999-99-99',1,'hank','tea,office','ada',2,1795608033318,1795608034552,1795608034552,0,1876,'ada');
INSERT INTO tasks VALUES(15,'tsk_aaaaaaaaaaaaa043','acme','created','','open','9999-99-99',2,'','tea','ada',1,1795608035786,1795608035786,0,0,1524,'ada');
INSERT INTO tasks VALUES(16,'tsk_aaaaaaaaaaaaa045','acme','deleted','','open','9999-99-99',2,'','tea','ada',2,1795608037020,1795608039488,0,1795608039488,1524,'ada');
INSERT INTO tasks VALUES(17,'tsk_aaaaaaaaaaaaa050','acme','restored','','open','9999-99-99',2,'','','ada',3,1795608040722,1795608043190,0,0,1226,'ada');
INSERT INTO tasks VALUES(18,'tsk_aaaaaaaaaaaaa054','acme','before the undo','','open','9999-99-99',2,'','','ada',3,1795608044424,1795608046892,0,0,1258,'ada');
INSERT INTO tasks VALUES(19,'tsk_aaaaaaaaaaaaa058','acme','commented','','open','9999-99-99',2,'','','ada',1,1795608048126,1795608048126,0,0,1228,'ada');
INSERT INTO tasks VALUES(20,'tsk_aaaaaaaaaaaaa069','acme','taken over','Grace has made it longer','open','9999-99-99',2,'','','ada',2,1795608056764,1795608057998,0,0,1333,'grace');
INSERT INTO tasks VALUES(21,'tsk_aaaaaaaaaaaaa074','globex','of globex','','open','9999-99-99',2,'','','ada',1,1795608060466,1795608060466,0,0,1237,'ada');
CREATE TABLE task_labels (
	owner TEXT    NOT NULL,
	label TEXT    NOT NULL,
	task  INTEGER NOT NULL REFERENCES tasks (seq),
	PRIMARY KEY (owner, label, task)
) WITHOUT ROWID;
INSERT INTO task_labels VALUES('acme','tea',9);
INSERT INTO task_labels VALUES('acme','tea',10);
INSERT INTO task_labels VALUES('acme','office',14);
INSERT INTO task_labels VALUES('acme','tea',14);
INSERT INTO task_labels VALUES('acme','tea',15);
INSERT INTO task_labels VALUES('acme','tea',16);
CREATE TABLE task_comments (
	seq        INTEGER PRIMARY KEY AUTOINCREMENT,
	id         TEXT    NOT NULL UNIQUE,
	owner      TEXT    NOT NULL,
	task_id    TEXT    NOT NULL REFERENCES tasks (id),
	author     TEXT    NOT NULL,
	text       TEXT    NOT NULL,
	created_at INTEGER NOT NULL,
	deleted_at INTEGER NOT NULL
, bytes INTEGER NOT NULL DEFAULT 0);
INSERT INTO task_comments VALUES(1,'cmt_aaaaaaaaaaaaa047','acme','tsk_aaaaaaaaaaaaa045','grace','of a deleted task',1795608038254,0,617);
INSERT INTO task_comments VALUES(2,'cmt_aaaaaaaaaaaaa060','acme','tsk_aaaaaaaaaaaaa058','ada','added',1795608049360,0,605);
INSERT INTO task_comments VALUES(3,'cmt_aaaaaaaaaaaaa062','acme','tsk_aaaaaaaaaaaaa058','ada','removed',1795608050594,1795608051828,607);
INSERT INTO task_comments VALUES(4,'cmt_aaaaaaaaaaaaa065','acme','tsk_aaaaaaaaaaaaa058','ada','put back',1795608053062,0,608);
INSERT INTO task_comments VALUES(5,'cmt_aaaaaaaaaaaaa072','acme','tsk_aaaaaaaaaaaaa069','hank','of another person',1795608059232,0,617);
CREATE TABLE activity (
	owner        TEXT    NOT NULL,
	seq          INTEGER NOT NULL,
	id           TEXT    NOT NULL UNIQUE,
	at           INTEGER NOT NULL,
	subject      TEXT    NOT NULL,
	client       TEXT    NOT NULL,
	operation    TEXT    NOT NULL,
	target       TEXT    NOT NULL,
	before       TEXT    NOT NULL, -- JSON; empty for none
	after        TEXT    NOT NULL,
	outcome      TEXT    NOT NULL,
	refers_to    TEXT    NOT NULL, -- the activity that this one finishes or undoes
	request      TEXT    NOT NULL,
	conversation TEXT    NOT NULL,
	hash         TEXT    NOT NULL, bytes INTEGER NOT NULL DEFAULT 0, removes INTEGER NOT NULL DEFAULT 0, -- over the row and the hash before it
	PRIMARY KEY (owner, seq)
);
INSERT INTO activity VALUES('acme',1,'act_aaaaaaaaaaaaa002',1795608001234,'ada','connected-app-1','operation','tsk_aaaaaaaaaaaaa001','','{"Assignee":"","CompletedAt":"0001-01-01T00:00:00Z","CreatedAt":"2026-11-25T12:00:01.234Z","Creator":"ada","DeletedAt":"0001-01-01T00:00:00Z","Due":"","ID":"tsk_aaaaaaaaaaaaa001","Labels":null,"Notes":"","Priority":2,"State":"open","Title":"one","UpdatedAt":"2026-11-25T12:00:01.234Z","Version":1}','done','','','conversation-1','33489648fb2c73927099ba64e2be99b697b25b235fa5150de17bd700c62c2472',1211,0);
INSERT INTO activity VALUES('acme',2,'act_aaaaaaaaaaaaa003',1795608002468,'ada','connected-app-1','operation','tsk_aaaaaaaaaaaaa001','{"Title":"one","UpdatedAt":"2026-11-25T12:00:01.234Z","Version":1}','{"Title":"two","UpdatedAt":"2026-11-25T12:00:02.468Z","Version":2}','done','','title','conversation-1','f2936a1eb4cbad7f2ae0bea59edf100c14ab4f8108e0086f4386e1d882df8e1a',1046,0);
INSERT INTO activity VALUES('acme',3,'act_aaaaaaaaaaaaa005',1795608003702,'ada','connected-app-1','operation','tsk_aaaaaaaaaaaaa004','','{"Assignee":"","CompletedAt":"0001-01-01T00:00:00Z","CreatedAt":"2026-11-25T12:00:03.702Z","Creator":"ada","DeletedAt":"0001-01-01T00:00:00Z","Due":"","ID":"tsk_aaaaaaaaaaaaa004","Labels":null,"Notes":"some words 会议","Priority":2,"State":"open","Title":"notes","UpdatedAt":"2026-11-25T12:00:03.702Z","Version":1}','done','','','conversation-1','00f8e855c7ac3092bcfd774499d204ac1be7bcb0992de83fa1994a1c53bc8818',1230,0);
INSERT INTO activity VALUES('acme',4,'act_aaaaaaaaaaaaa006',1795608004936,'ada','connected-app-1','operation','tsk_aaaaaaaaaaaaa004','{"Notes":"some words 会议","UpdatedAt":"2026-11-25T12:00:03.702Z","Version":1}','{"Notes":"quite others <&>","UpdatedAt":"2026-11-25T12:00:04.936Z","Version":2}','done','','notes','conversation-1','1eeab5e1345c0b3aeb10ead57daf59dc4db5e951be0e7cd1fd5589e77500a297',1073,0);
INSERT INTO activity VALUES('acme',5,'act_aaaaaaaaaaaaa008',1795608006170,'ada','connected-app-1','operation','tsk_aaaaaaaaaaaaa007','','{"Assignee":"","CompletedAt":"0001-01-01T00:00:00Z","CreatedAt":"2026-11-25T12:00:06.17Z","Creator":"ada","DeletedAt":"0001-01-01T00:00:00Z","Due":"","ID":"tsk_aaaaaaaaaaaaa007","Labels":null,"Notes":"a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a lon","Priority":2,"State":"open","Title":"long notes","UpdatedAt":"2026-11-25T12:00:06.17Z","Version":1}','done','','','conversation-1','7ffd5ce5fcb2325122f84cddb93ee87a7f6117a99e6e4eb21e2e8b59a633ec26',1445,0);
INSERT INTO activity VALUES('acme',6,'act_aaaaaaaaaaaaa009',1795608007404,'ada','connected-app-1','operation','tsk_aaaaaaaaaaaaa007','{"Notes":"a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 a long text 語 ","UpdatedAt":"2026-11-25T12:00:06.17Z","Version":1}','{"Notes":"","UpdatedAt":"2026-11-25T12:00:07.404Z","Version":2}','done','','long notes','conversation-1','475e8008085f792e3095d1cd07efe74bd40946607ce81b5744603c507204848a',2639,0);
INSERT INTO activity VALUES('acme',7,'act_aaaaaaaaaaaaa011',1795608008638,'ada','connected-app-1','operation','tsk_aaaaaaaaaaaaa010','','{"Assignee":"","CompletedAt":"0001-01-01T00:00:00Z","CreatedAt":"2026-11-25T12:00:08.638Z","Creator":"ada","DeletedAt":"0001-01-01T00:00:00Z","Due":"","ID":"tsk_aaaaaaaaaaaaa010","Labels":null,"Notes":"","Priority":2,"State":"open","Title":"state","UpdatedAt":"2026-11-25T12:00:08.638Z","Version":1}','done','','','conversation-1','40c09722ca8163130815b2b39f8cce487bc3aec2b69509ad7d0e9ad9754d5802',1213,0);
INSERT INTO activity VALUES('acme',8,'act_aaaaaaaaaaaaa012',1795608009872,'ada','connected-app-1','operation','tsk_aaaaaaaaaaaaa010','{"State":"open","UpdatedAt":"2026-11-25T12:00:08.638Z","Version":1}','{"State":"in_progress","UpdatedAt":"2026-11-25T12:00:09.872Z","Version":2}','done','','state','conversation-1','24b04ad054e1504d598f44da8cdb4c1497e2b647459d9a2b31bea16be0fe921d',1055,0);
INSERT INTO activity VALUES('acme',9,'act_aaaaaaaaaaaaa014',1795608011106,'ada','connected-app-1','operation','tsk_aaaaaaaaaaaaa013','','{"Assignee":"","CompletedAt":"0001-01-01T00:00:00Z","CreatedAt":"2026-11-25T12:00:11.106Z","Creator":"ada","DeletedAt":"0001-01-01T00:00:00Z","Due":"2026-12-01","ID":"tsk_aaaaaaaaaaaaa013","Labels":null,"Notes":"","Priority":2,"State":"open","Title":"due","UpdatedAt":"2026-11-25T12:00:11.106Z","Version":1}','done','','','conversation-1','e729237250e287fe7789cc42326b4ba096a04cd4c425ee257ecc07c77aac75b9',1221,0);
INSERT INTO activity VALUES('acme',10,'act_aaaaaaaaaaaaa015',1795608012340,'ada','connected-app-1','operation','tsk_aaaaaaaaaaaaa013','{"Due":"2026-12-01","UpdatedAt":"2026-11-25T12:00:11.106Z","Version":1}','{"Due":"2027-01-31","UpdatedAt":"2026-11-25T12:00:12.34Z","Version":2}','done','','due','conversation-1','3c9730a4a8b1d015a739bdfdcdb8a7cf3b703489de2f068cedc67d7cff3a327d',1055,0);
INSERT INTO activity VALUES('acme',11,'act_aaaaaaaaaaaaa017',1795608013574,'ada','connected-app-1','operation','tsk_aaaaaaaaaaaaa016','','{"Assignee":"","CompletedAt":"0001-01-01T00:00:00Z","CreatedAt":"2026-11-25T12:00:13.574Z","Creator":"ada","DeletedAt":"0001-01-01T00:00:00Z","Due":"","ID":"tsk_aaaaaaaaaaaaa016","Labels":null,"Notes":"","Priority":2,"State":"open","Title":"first due","UpdatedAt":"2026-11-25T12:00:13.574Z","Version":1}','done','','','conversation-1','8bd6b2d855aaaf5873481d4aaf65be4191d0b63d018972c709d8d190646cfac5',1217,0);
INSERT INTO activity VALUES('acme',12,'act_aaaaaaaaaaaaa018',1795608014808,'ada','connected-app-1','operation','tsk_aaaaaaaaaaaaa016','{"Due":"","UpdatedAt":"2026-11-25T12:00:13.574Z","Version":1}','{"Due":"2026-12-01","UpdatedAt":"2026-11-25T12:00:14.808Z","Version":2}','done','','first due','conversation-1','937b96ed3405ceee099357d0dcdc8f6b26fb12b91d70f36a69a2014c53bc254d',1046,0);
INSERT INTO activity VALUES('acme',13,'act_aaaaaaaaaaaaa020',1795608016042,'ada','connected-app-1','operation','tsk_aaaaaaaaaaaaa019','','{"Assignee":"","CompletedAt":"0001-01-01T00:00:00Z","CreatedAt":"2026-11-25T12:00:16.042Z","Creator":"ada","DeletedAt":"0001-01-01T00:00:00Z","Due":"","ID":"tsk_aaaaaaaaaaaaa019","Labels":null,"Notes":"","Priority":2,"State":"open","Title":"priority","UpdatedAt":"2026-11-25T12:00:16.042Z","Version":1}','done','','','conversation-1','4b0809c95c34a58014f54a7a9b6b1e3be2f34a90515ad5a6d02bc40b02adc804',1216,0);
INSERT INTO activity VALUES('acme',14,'act_aaaaaaaaaaaaa021',1795608017276,'ada','connected-app-1','operation','tsk_aaaaaaaaaaaaa019','{"Priority":2,"UpdatedAt":"2026-11-25T12:00:16.042Z","Version":1}','{"Priority":4,"UpdatedAt":"2026-11-25T12:00:17.276Z","Version":2}','done','','priority','conversation-1','7d37910b9a5ce06dd3e72d51b64903a6900ecdf2ba77a046b29334f48da3f7bc',1044,0);
INSERT INTO activity VALUES('acme',15,'act_aaaaaaaaaaaaa023',1795608018510,'ada','connected-app-1','operation','tsk_aaaaaaaaaaaaa022','','{"Assignee":"grace","CompletedAt":"0001-01-01T00:00:00Z","CreatedAt":"2026-11-25T12:00:18.51Z","Creator":"ada","DeletedAt":"0001-01-01T00:00:00Z","Due":"","ID":"tsk_aaaaaaaaaaaaa022","Labels":null,"Notes":"","Priority":2,"State":"open","Title":"assignee","UpdatedAt":"2026-11-25T12:00:18.51Z","Version":1}','done','','','conversation-1','2ccd3104d82293ccc37fbbe4f048e39408b73c5a62232055e554305195b02dfe',1219,0);
INSERT INTO activity VALUES('acme',16,'act_aaaaaaaaaaaaa024',1795608019744,'ada','connected-app-1','operation','tsk_aaaaaaaaaaaaa022','{"Assignee":"grace","UpdatedAt":"2026-11-25T12:00:18.51Z","Version":1}','{"Assignee":"","UpdatedAt":"2026-11-25T12:00:19.744Z","Version":2}','done','','assignee','conversation-1','cef5ae587e242515f3d0bbed8545d2ecb282cc3f297be23d807bfcd17666314e',1050,0);
INSERT INTO activity VALUES('acme',17,'act_aaaaaaaaaaaaa026',1795608020978,'ada','connected-app-1','operation','tsk_aaaaaaaaaaaaa025','','{"Assignee":"","CompletedAt":"0001-01-01T00:00:00Z","CreatedAt":"2026-11-25T12:00:20.978Z","Creator":"ada","DeletedAt":"0001-01-01T00:00:00Z","Due":"","ID":"tsk_aaaaaaaaaaaaa025","Labels":["home","office"],"Notes":"","Priority":2,"State":"open","Title":"labels","UpdatedAt":"2026-11-25T12:00:20.978Z","Version":1}','done','','','conversation-1','fd05b4e7adcea782bc5b8c94132fcf4519d2ac3548a1807f045f85bffe97ad0f',1227,0);
INSERT INTO activity VALUES('acme',18,'act_aaaaaaaaaaaaa027',1795608022212,'ada','connected-app-1','operation','tsk_aaaaaaaaaaaaa025','{"Labels":["home","office"],"UpdatedAt":"2026-11-25T12:00:20.978Z","Version":1}','{"Labels":["tea"],"UpdatedAt":"2026-11-25T12:00:22.212Z","Version":2}','done','','labels','conversation-1','5b8db6999bffa8fe987e982f18dd27e30d4a8fe52ba3b35ff780be6430ac6a93',1062,0);
INSERT INTO activity VALUES('acme',19,'act_aaaaaaaaaaaaa029',1795608023446,'ada','connected-app-1','operation','tsk_aaaaaaaaaaaaa028','','{"Assignee":"","CompletedAt":"0001-01-01T00:00:00Z","CreatedAt":"2026-11-25T12:00:23.446Z","Creator":"ada","DeletedAt":"0001-01-01T00:00:00Z","Due":"","ID":"tsk_aaaaaaaaaaaaa028","Labels":null,"Notes":"","Priority":2,"State":"open","Title":"first labels","UpdatedAt":"2026-11-25T12:00:23.446Z","Version":1}','done','','','conversation-1','585a6581b52e0f8266dfc51c1ed8ccd6c00e131d87601197b486f21782b3f4ee',1220,0);
INSERT INTO activity VALUES('acme',20,'act_aaaaaaaaaaaaa030',1795608024680,'ada','connected-app-1','operation','tsk_aaaaaaaaaaaaa028','{"Labels":[],"UpdatedAt":"2026-11-25T12:00:23.446Z","Version":1}','{"Labels":["tea"],"UpdatedAt":"2026-11-25T12:00:24.68Z","Version":2}','done','','first labels','conversation-1','de2df7301979faf66a539527c5bf211e7b7011feecdf7c3e2ca1266f62766f49',1046,0);
INSERT INTO activity VALUES('acme',21,'act_aaaaaaaaaaaaa032',1795608025914,'ada','connected-app-1','operation','tsk_aaaaaaaaaaaaa031','','{"Assignee":"","CompletedAt":"0001-01-01T00:00:00Z","CreatedAt":"2026-11-25T12:00:25.914Z","Creator":"ada","DeletedAt":"0001-01-01T00:00:00Z","Due":"","ID":"tsk_aaaaaaaaaaaaa031","Labels":["tea"],"Notes":"","Priority":2,"State":"open","Title":"last labels","UpdatedAt":"2026-11-25T12:00:25.914Z","Version":1}','done','','','conversation-1','9bd59b5f62a584cdec56b288d0bc7dd794e7c9abaa2ff95cedb79608ec45cc26',1222,0);
INSERT INTO activity VALUES('acme',22,'act_aaaaaaaaaaaaa033',1795608027148,'ada','connected-app-1','operation','tsk_aaaaaaaaaaaaa031','{"Labels":["tea"],"UpdatedAt":"2026-11-25T12:00:25.914Z","Version":1}','{"Labels":[],"UpdatedAt":"2026-11-25T12:00:27.148Z","Version":2}','done','','last labels','conversation-1','a4d9bfcb4818a66bac348a580d3b4a8dbf6de5e593660a23a2e0418b7f9c956f',1047,0);
INSERT INTO activity VALUES('acme',23,'act_aaaaaaaaaaaaa035',1795608028382,'ada','connected-app-1','operation','tsk_aaaaaaaaaaaaa034','','{"Assignee":"","CompletedAt":"0001-01-01T00:00:00Z","CreatedAt":"2026-11-25T12:00:28.382Z","Creator":"ada","DeletedAt":"0001-01-01T00:00:00Z","Due":"","ID":"tsk_aaaaaaaaaaaaa034","Labels":null,"Notes":"","Priority":2,"State":"open","Title":"completed","UpdatedAt":"2026-11-25T12:00:28.382Z","Version":1}','done','','','conversation-1','eaca2cdd9b76904826952f93076ca879f4ad86ad7d7c96537f0a00232d02db60',1217,0);
INSERT INTO activity VALUES('acme',24,'act_aaaaaaaaaaaaa036',1795608029616,'ada','connected-app-1','operation','tsk_aaaaaaaaaaaaa034','{"CompletedAt":"0001-01-01T00:00:00Z","State":"open","UpdatedAt":"2026-11-25T12:00:28.382Z","Version":1}','{"CompletedAt":"2026-11-25T12:00:29.616Z","State":"done","UpdatedAt":"2026-11-25T12:00:29.616Z","Version":2}','done','','completed','conversation-1','6b96c4bf562c583974e046e032b7a2b4fa37c3aca6388d4f7b2cadc9bb8f3e80',1126,0);
INSERT INTO activity VALUES('acme',25,'act_aaaaaaaaaaaaa038',1795608030850,'ada','connected-app-1','operation','tsk_aaaaaaaaaaaaa037','','{"Assignee":"","CompletedAt":"2026-11-25T12:00:30.85Z","CreatedAt":"2026-11-25T12:00:30.85Z","Creator":"ada","DeletedAt":"0001-01-01T00:00:00Z","Due":"","ID":"tsk_aaaaaaaaaaaaa037","Labels":null,"Notes":"","Priority":2,"State":"done","Title":"reopened","UpdatedAt":"2026-11-25T12:00:30.85Z","Version":1}','done','','','conversation-1','97e9b683d987994183a4b1a89721d5c1b21ae4aae65a54a308f94dde6583e047',1217,0);
INSERT INTO activity VALUES('acme',26,'act_aaaaaaaaaaaaa039',1795608032084,'ada','connected-app-1','operation','tsk_aaaaaaaaaaaaa037','{"CompletedAt":"2026-11-25T12:00:30.85Z","State":"done","UpdatedAt":"2026-11-25T12:00:30.85Z","Version":1}','{"CompletedAt":"0001-01-01T00:00:00Z","State":"open","UpdatedAt":"2026-11-25T12:00:32.084Z","Version":2}','done','','reopened','conversation-1','fb23666c2db543594fe49bce0d2fe287429508cfa9b462ab8f719fedf9029bcf',1124,0);
INSERT INTO activity VALUES('acme',27,'act_aaaaaaaaaaaaa041',1795608033318,'ada','connected-app-1','operation','tsk_aaaaaaaaaaaaa040','','{"Assignee":"grace","CompletedAt":"0001-01-01T00:00:00Z","CreatedAt":"2026-11-25T12:00:33.318Z","Creator":"ada","DeletedAt":"0001-01-01T00:00:00Z","Due":"2026-12-01","ID":"tsk_aaaaaaaaaaaaa040","Labels":["home"],"Notes":"notes of it","Priority":3,"State":"open","Title":"everything","UpdatedAt":"2026-11-25T12:00:33.318Z","Version":1}','done','','','conversation-1','897011c20093164ca9a2bacc86c28362c1a5140cb9ad361ad8db471c68f176eb',1248,0);
INSERT INTO activity VALUES('acme',28,'act_aaaaaaaaaaaaa042',1795608034552,'ada','connected-app-1','operation','tsk_aaaaaaaaaaaaa040','{"Assignee":"grace","CompletedAt":"0001-01-01T00:00:00Z","Due":"2026-12-01","Labels":["home"],"Notes":"notes of it","Priority":3,"State":"open","Title":"everything","UpdatedAt":"2026-11-25T12:00:33.318Z","Version":1}','{"Assignee":"hank","CompletedAt":"2026-11-25T12:00:34.552Z","Due":"","Labels":["tea","office"],"Notes":"other notes","Priority":1,"State":"done","Title":"all else","UpdatedAt":"2026-11-25T12:00:34.552Z","Version":2}','done','','everything','conversation-1','7b3f24f53080d550459e70c0ee1ca7699cc3de8f0633f2bf1bf870832cf8f239',1345,0);
INSERT INTO activity VALUES('acme',29,'act_aaaaaaaaaaaaa044',1795608035786,'ada','connected-app-1','operation','tsk_aaaaaaaaaaaaa043','','{"Assignee":"","CompletedAt":"0001-01-01T00:00:00Z","CreatedAt":"2026-11-25T12:00:35.786Z","Creator":"ada","DeletedAt":"0001-01-01T00:00:00Z","Due":"","ID":"tsk_aaaaaaaaaaaaa043","Labels":["tea"],"Notes":"","Priority":2,"State":"open","Title":"created","UpdatedAt":"2026-11-25T12:00:35.786Z","Version":1}','done','','created','conversation-1','2c3dc089c507875590503b39ca1d32c7ec769b662c05e4c1a996ac6c44de4d3e',1218,0);
INSERT INTO activity VALUES('acme',30,'act_aaaaaaaaaaaaa046',1795608037020,'ada','connected-app-1','operation','tsk_aaaaaaaaaaaaa045','','{"Assignee":"","CompletedAt":"0001-01-01T00:00:00Z","CreatedAt":"2026-11-25T12:00:37.02Z","Creator":"ada","DeletedAt":"0001-01-01T00:00:00Z","Due":"","ID":"tsk_aaaaaaaaaaaaa045","Labels":["tea"],"Notes":"","Priority":2,"State":"open","Title":"deleted","UpdatedAt":"2026-11-25T12:00:37.02Z","Version":1}','done','','','conversation-1','96ce8980e3aa7921c64782302d5b4bf4d013ad15bb1a4d4923bb76df86c07040',1216,0);
INSERT INTO activity VALUES('acme',31,'act_aaaaaaaaaaaaa048',1795608038254,'grace','connected-app-1','operation','cmt_aaaaaaaaaaaaa047','','{"Author":"grace","CreatedAt":"2026-11-25T12:00:38.254Z","DeletedAt":"0001-01-01T00:00:00Z","ID":"cmt_aaaaaaaaaaaaa047","TaskID":"tsk_aaaaaaaaaaaaa045","Text":"of a deleted task"}','done','','','conversation-1','8012d1f6d94ae71faeff0b65309cbd5f3b10efd7d545988241f02080e7257754',1093,0);
INSERT INTO activity VALUES('acme',32,'act_aaaaaaaaaaaaa049',1795608039488,'ada','connected-app-1','operation','tsk_aaaaaaaaaaaaa045','{"DeletedAt":"0001-01-01T00:00:00Z","UpdatedAt":"2026-11-25T12:00:37.02Z","Version":1}','{"DeletedAt":"2026-11-25T12:00:39.488Z","UpdatedAt":"2026-11-25T12:00:39.488Z","Version":2}','done','','deleted','conversation-1','c29847761165d10a9f26f6729a0bebb0efce0159b6276826e41d581b92eac154',1091,1);
INSERT INTO activity VALUES('acme',33,'act_aaaaaaaaaaaaa051',1795608040722,'ada','connected-app-1','operation','tsk_aaaaaaaaaaaaa050','','{"Assignee":"","CompletedAt":"0001-01-01T00:00:00Z","CreatedAt":"2026-11-25T12:00:40.722Z","Creator":"ada","DeletedAt":"0001-01-01T00:00:00Z","Due":"","ID":"tsk_aaaaaaaaaaaaa050","Labels":null,"Notes":"","Priority":2,"State":"open","Title":"restored","UpdatedAt":"2026-11-25T12:00:40.722Z","Version":1}','done','','','conversation-1','ace28899844627d111cdb61c8ec55e74fd20452b4c02fbe4fa33358294a91cc3',1216,0);
INSERT INTO activity VALUES('acme',34,'act_aaaaaaaaaaaaa052',1795608041956,'ada','connected-app-1','operation','tsk_aaaaaaaaaaaaa050','{"DeletedAt":"0001-01-01T00:00:00Z","UpdatedAt":"2026-11-25T12:00:40.722Z","Version":1}','{"DeletedAt":"2026-11-25T12:00:41.956Z","UpdatedAt":"2026-11-25T12:00:41.956Z","Version":2}','done','','','conversation-1','d2e251f02f75b4cb9cb8408e9fe36ac65f0a1fd5aaae36e5855ed8e9d1ed1ac3',1092,1);
INSERT INTO activity VALUES('acme',35,'act_aaaaaaaaaaaaa053',1795608043190,'ada','connected-app-1','operation','tsk_aaaaaaaaaaaaa050','{"DeletedAt":"2026-11-25T12:00:41.956Z","UpdatedAt":"2026-11-25T12:00:41.956Z","Version":2}','{"DeletedAt":"0001-01-01T00:00:00Z","UpdatedAt":"2026-11-25T12:00:43.19Z","Version":3}','done','','restored','conversation-1','4936f86860f1fd9f9807b8d1c0bf8afbce9ea81c1c1a84ef6679e467105fce32',1091,0);
INSERT INTO activity VALUES('acme',36,'act_aaaaaaaaaaaaa055',1795608044424,'ada','connected-app-1','operation','tsk_aaaaaaaaaaaaa054','','{"Assignee":"","CompletedAt":"0001-01-01T00:00:00Z","CreatedAt":"2026-11-25T12:00:44.424Z","Creator":"ada","DeletedAt":"0001-01-01T00:00:00Z","Due":"","ID":"tsk_aaaaaaaaaaaaa054","Labels":null,"Notes":"","Priority":2,"State":"open","Title":"before the undo","UpdatedAt":"2026-11-25T12:00:44.424Z","Version":1}','done','','','conversation-1','8198336e9f1acc5530880898af5dd6c6955cb1c6d783e48abae8b5eab46bb567',1223,0);
INSERT INTO activity VALUES('acme',37,'act_aaaaaaaaaaaaa056',1795608045658,'ada','connected-app-1','operation','tsk_aaaaaaaaaaaaa054','{"Title":"before the undo","UpdatedAt":"2026-11-25T12:00:44.424Z","Version":1}','{"Title":"after the undo","UpdatedAt":"2026-11-25T12:00:45.658Z","Version":2}','done','','','conversation-1','c07d70b9b8a2509519d8b2757493661bf756fd39e323a85f9709e29856e37d3d',1069,0);
INSERT INTO activity VALUES('acme',38,'act_aaaaaaaaaaaaa057',1795608046892,'ada','connected-app-1','operation','tsk_aaaaaaaaaaaaa054','{"Title":"after the undo","UpdatedAt":"2026-11-25T12:00:45.658Z","Version":2}','{"Title":"before the undo","UpdatedAt":"2026-11-25T12:00:46.892Z","Version":3}','done','','undone','conversation-1','396d5eb42dd46c2710a7999b98c3ff1c2c446e3b9a26fa52cbc132199550e31a',1069,0);
INSERT INTO activity VALUES('acme',39,'act_aaaaaaaaaaaaa059',1795608048126,'ada','connected-app-1','operation','tsk_aaaaaaaaaaaaa058','','{"Assignee":"","CompletedAt":"0001-01-01T00:00:00Z","CreatedAt":"2026-11-25T12:00:48.126Z","Creator":"ada","DeletedAt":"0001-01-01T00:00:00Z","Due":"","ID":"tsk_aaaaaaaaaaaaa058","Labels":null,"Notes":"","Priority":2,"State":"open","Title":"commented","UpdatedAt":"2026-11-25T12:00:48.126Z","Version":1}','done','','','conversation-1','973c64a97d81172c6453ce5947b8228c486d3b7e4f86d35a25385f61f0b4d977',1217,0);
INSERT INTO activity VALUES('acme',40,'act_aaaaaaaaaaaaa061',1795608049360,'ada','connected-app-1','operation','cmt_aaaaaaaaaaaaa060','','{"Author":"ada","CreatedAt":"2026-11-25T12:00:49.36Z","DeletedAt":"0001-01-01T00:00:00Z","ID":"cmt_aaaaaaaaaaaaa060","TaskID":"tsk_aaaaaaaaaaaaa058","Text":"added"}','done','','comment added','conversation-1','f56c8e9317409156c6057263c7af0cf9b58375ceb426956f4665068ac5cb111b',1078,0);
INSERT INTO activity VALUES('acme',41,'act_aaaaaaaaaaaaa063',1795608050594,'ada','connected-app-1','operation','cmt_aaaaaaaaaaaaa062','','{"Author":"ada","CreatedAt":"2026-11-25T12:00:50.594Z","DeletedAt":"0001-01-01T00:00:00Z","ID":"cmt_aaaaaaaaaaaaa062","TaskID":"tsk_aaaaaaaaaaaaa058","Text":"removed"}','done','','','conversation-1','190e4001b7e7f71cea0b4eacd28da8ec24760ac72a38f689d040ad19d3334393',1081,0);
INSERT INTO activity VALUES('acme',42,'act_aaaaaaaaaaaaa064',1795608051828,'ada','connected-app-1','operation','cmt_aaaaaaaaaaaaa062','{"ID":"cmt_aaaaaaaaaaaaa062","TaskID":"","Author":"","Text":"","CreatedAt":"0001-01-01T00:00:00Z","DeletedAt":"0001-01-01T00:00:00Z"}','{"ID":"cmt_aaaaaaaaaaaaa062","TaskID":"","Author":"","Text":"","CreatedAt":"0001-01-01T00:00:00Z","DeletedAt":"2026-11-25T12:00:51.828Z"}','done','','comment removed','conversation-1','4afc24c0d1d40536171eb52b033c3e16b02d7312cc70fdf4b593cd5582f8a808',1184,1);
INSERT INTO activity VALUES('acme',43,'act_aaaaaaaaaaaaa066',1795608053062,'ada','connected-app-1','operation','cmt_aaaaaaaaaaaaa065','','{"Author":"ada","CreatedAt":"2026-11-25T12:00:53.062Z","DeletedAt":"0001-01-01T00:00:00Z","ID":"cmt_aaaaaaaaaaaaa065","TaskID":"tsk_aaaaaaaaaaaaa058","Text":"put back"}','done','','','conversation-1','64648b921c192ba7e8450626949fd57a700f2195929f42de2c6903e918f7f28d',1082,0);
INSERT INTO activity VALUES('acme',44,'act_aaaaaaaaaaaaa067',1795608054296,'ada','connected-app-1','operation','cmt_aaaaaaaaaaaaa065','{"ID":"cmt_aaaaaaaaaaaaa065","TaskID":"","Author":"","Text":"","CreatedAt":"0001-01-01T00:00:00Z","DeletedAt":"0001-01-01T00:00:00Z"}','{"ID":"cmt_aaaaaaaaaaaaa065","TaskID":"","Author":"","Text":"","CreatedAt":"0001-01-01T00:00:00Z","DeletedAt":"2026-11-25T12:00:54.296Z"}','done','','','conversation-1','41f7c694c4edac814b082fef541ff64f28164654adaf65597a3a44a9c7df2cc4',1184,1);
INSERT INTO activity VALUES('acme',45,'act_aaaaaaaaaaaaa068',1795608055530,'ada','connected-app-1','operation','cmt_aaaaaaaaaaaaa065','{"ID":"cmt_aaaaaaaaaaaaa065","TaskID":"","Author":"","Text":"","CreatedAt":"0001-01-01T00:00:00Z","DeletedAt":"2026-11-25T12:00:54.296Z"}','{"ID":"cmt_aaaaaaaaaaaaa065","TaskID":"","Author":"","Text":"","CreatedAt":"0001-01-01T00:00:00Z","DeletedAt":"0001-01-01T00:00:00Z"}','done','','comment put back','conversation-1','3749f1711499b35532573176cd79db0170c7343227c5ab01cdadd2174bfc55e9',1184,0);
INSERT INTO activity VALUES('acme',46,'act_aaaaaaaaaaaaa070',1795608056764,'ada','connected-app-1','operation','tsk_aaaaaaaaaaaaa069','','{"Assignee":"","CompletedAt":"0001-01-01T00:00:00Z","CreatedAt":"2026-11-25T12:00:56.764Z","Creator":"ada","DeletedAt":"0001-01-01T00:00:00Z","Due":"","ID":"tsk_aaaaaaaaaaaaa069","Labels":null,"Notes":"short","Priority":2,"State":"open","Title":"taken over","UpdatedAt":"2026-11-25T12:00:56.764Z","Version":1}','done','','','conversation-1','0d65662383c3ea288a10ab8d7830d228d850c594e1c949cf67adaade62760ead',1223,0);
INSERT INTO activity VALUES('acme',47,'act_aaaaaaaaaaaaa071',1795608057998,'grace','connected-app-1','operation','tsk_aaaaaaaaaaaaa069','{"Notes":"short","UpdatedAt":"2026-11-25T12:00:56.764Z","Version":1}','{"Notes":"Grace has made it longer","UpdatedAt":"2026-11-25T12:00:57.998Z","Version":2}','done','','','conversation-1','3f8e7db8f02855289b1646e8955b808f2daebf7a875c4857eb35973dbffb07c2',1069,0);
INSERT INTO activity VALUES('acme',48,'act_aaaaaaaaaaaaa073',1795608059232,'hank','connected-app-1','operation','cmt_aaaaaaaaaaaaa072','','{"Author":"hank","CreatedAt":"2026-11-25T12:00:59.232Z","DeletedAt":"0001-01-01T00:00:00Z","ID":"cmt_aaaaaaaaaaaaa072","TaskID":"tsk_aaaaaaaaaaaaa069","Text":"of another person"}','done','','','conversation-1','20fb32fbee0ebc1bf65c090834552321f81911185242db19f02edabc6a3d1edf',1092,0);
INSERT INTO activity VALUES('globex',1,'act_aaaaaaaaaaaaa075',1795608060466,'ada','connected-app-1','operation','tsk_aaaaaaaaaaaaa074','','{"Assignee":"","CompletedAt":"0001-01-01T00:00:00Z","CreatedAt":"2026-11-25T12:01:00.466Z","Creator":"ada","DeletedAt":"0001-01-01T00:00:00Z","Due":"","ID":"tsk_aaaaaaaaaaaaa074","Labels":null,"Notes":"","Priority":2,"State":"open","Title":"of globex","UpdatedAt":"2026-11-25T12:01:00.466Z","Version":1}','done','','','conversation-1','a99febd28ef7b669a2af3fccd4a55776f772a1d20a84673083e00204a90480f1',1217,0);
CREATE TABLE activity_heads (
	owner TEXT    PRIMARY KEY,
	seq   INTEGER NOT NULL,
	hash  TEXT    NOT NULL
, floor_seq  INTEGER NOT NULL DEFAULT 0, floor_hash TEXT    NOT NULL DEFAULT '', floor_at   INTEGER NOT NULL DEFAULT 0);
INSERT INTO activity_heads VALUES('acme',48,'20fb32fbee0ebc1bf65c090834552321f81911185242db19f02edabc6a3d1edf',0,'',0);
INSERT INTO activity_heads VALUES('globex',1,'a99febd28ef7b669a2af3fccd4a55776f772a1d20a84673083e00204a90480f1',0,'',0);
CREATE TABLE replies (
	key        TEXT    PRIMARY KEY, -- hash of owner, subject, client, operation and key
	body       TEXT    NOT NULL,    -- hash of the request
	reply      TEXT    NOT NULL,    -- JSON; empty while the call is under way
	expires_at INTEGER NOT NULL
, owner  TEXT    NOT NULL DEFAULT '', person TEXT    NOT NULL DEFAULT '', target TEXT    NOT NULL DEFAULT '', bytes  INTEGER NOT NULL DEFAULT 0);
INSERT INTO replies VALUES('key','body','{"id":"x"}',1795694460466,'acme','hank','tsk_aaaaaaaaaaaaa074',310);
CREATE TABLE connections (
	owner      TEXT NOT NULL,
	subject    TEXT NOT NULL,
	client     TEXT NOT NULL,
	scopes     TEXT NOT NULL, -- of the last token, separated by spaces
	first_used INTEGER NOT NULL,
	last_used  INTEGER NOT NULL,
	PRIMARY KEY (owner, subject, client)
);
INSERT INTO connections VALUES('acme','ada','connected-app-1','openid',1795608060466,1795608060466);
CREATE TABLE denials (
	subject    TEXT NOT NULL,
	client     TEXT NOT NULL,
	owner      TEXT NOT NULL,
	revoked_at INTEGER NOT NULL, -- tokens issued until then are refused
	expires_at INTEGER NOT NULL, -- when the last of them has ended
	retry_at   INTEGER NOT NULL, -- when Stytch is asked again to revoke, until which every token is refused; 0 when it has
	PRIMARY KEY (subject, client)
);
INSERT INTO denials VALUES('grace','connected-app-2','acme',1795608060466,1795611660466,0);
PRAGMA writable_schema=ON;
INSERT INTO sqlite_schema(type,name,tbl_name,rootpage,sql)VALUES('table','task_words','task_words',0,'CREATE VIRTUAL TABLE task_words USING fts5 (owner, units, pairs, content='''', contentless_delete=1, tokenize=''ascii'')');
CREATE TABLE IF NOT EXISTS 'task_words_data'(id INTEGER PRIMARY KEY, block BLOB);
INSERT INTO task_words_data VALUES(1,X'15152700');
INSERT INTO task_words_data VALUES(10,X'00000000ff000001020d23000d110101011000000d0101011111010101020101121200000103010113130000010401011414000001050101151500000106010116160101010701011717010101080101181800000109010119190000010a01011a1a0101010b01011b1b0000010c01011c1c0000010000');
INSERT INTO task_words_data VALUES(137438953473,X'0000003c053061636d650e0202010a65766572797468696e670e06010102010269740e0601010501056e6f7465730e0601010301026f660e06010104040911090c');
INSERT INTO task_words_data VALUES(274877906945,X'00000039053061636d650e020202026c6c0e060101020104656c73650e0601010301056e6f7465730e0601010501056f746865720e060101040409090b0c');
INSERT INTO task_words_data VALUES(412316860417,X'0000001b053061636d650f02020107637265617465640f060101020409');
INSERT INTO task_words_data VALUES(549755813889,X'0000001b053061636d65100202010764656c6574656410060101020409');
INSERT INTO task_words_data VALUES(687194767361,X'0000001c053061636d651102020108726573746f72656411060101020409');
INSERT INTO task_words_data VALUES(824633720833,X'0000002f053061636d6512020201066265666f72651206010102010374686512060101030104756e646f120601010404090d0a');
INSERT INTO task_words_data VALUES(962072674305,X'0000002d053061636d651202020204667465721206010102010374686512060101030104756e646f120601010404090b0a');
INSERT INTO task_words_data VALUES(1099511627777,X'0000002f053061636d6512020201066265666f72651206010102010374686512060101030104756e646f120601010404090d0a');
INSERT INTO task_words_data VALUES(1236950581249,X'0000001d053061636d651302020109636f6d6d656e74656413060101020409');
INSERT INTO task_words_data VALUES(1374389534721,X'00000030053061636d6514020201046f7665721406010103010573686f72741406010104010574616b656e140601010204090b0c');
INSERT INTO task_words_data VALUES(1511828488193,X'0000005b053061636d651402020105677261636514060101040103686173140601010501026974140601010701066c6f6e676572140601010801046d616465140601010601046f7665721406010103010574616b656e140601010204090c0a090d0b0b');
INSERT INTO task_words_data VALUES(1649267441665,X'0000001b0730676c6f62657815080201010301026f661506010102040e');
INSERT INTO task_words_data VALUES(2336462209025,X'000000f7053061636d650102020102020102020102020102020102020102020102020102020102020102020102020102020207737369676e656508060101020109636f6d706c657465640c06010102010364756505060101020106010103010566697273740606010102040601010201066c6162656c73090601010201060101030106010103030273740b0601010202036f6e67030601010201056e6f7465730206010102010601010301066f7468657273020601010401087072696f726974790706010102010571756974650206010103010872656f70656e65640d06010102010573746174650406010102010374776f0106010102042d0e100f1117090a110d0f0c0f0c');
INSERT INTO task_words_data VALUES(9007336693694464,X'040000000000000100000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000e0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000');
INSERT INTO task_words_data VALUES(9008023888461824,X'04000000000000010000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000001200000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000');
INSERT INTO task_words_data VALUES(9008161327415296,X'04000000000000010000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000001200000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000');
INSERT INTO task_words_data VALUES(9008573644275712,X'04000000000000010000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000140000000000000000000000000000000000000000000000000000000000000000000000000000000000000000');
CREATE TABLE IF NOT EXISTS 'task_words_idx'(segid, term, pgno, PRIMARY KEY(segid, term)) WITHOUT ROWID;
INSERT INTO task_words_idx VALUES(1,X'',2);
INSERT INTO task_words_idx VALUES(2,X'',2);
INSERT INTO task_words_idx VALUES(3,X'',2);
INSERT INTO task_words_idx VALUES(4,X'',2);
INSERT INTO task_words_idx VALUES(5,X'',2);
INSERT INTO task_words_idx VALUES(6,X'',2);
INSERT INTO task_words_idx VALUES(7,X'',2);
INSERT INTO task_words_idx VALUES(8,X'',2);
INSERT INTO task_words_idx VALUES(9,X'',2);
INSERT INTO task_words_idx VALUES(10,X'',2);
INSERT INTO task_words_idx VALUES(11,X'',2);
INSERT INTO task_words_idx VALUES(12,X'',2);
INSERT INTO task_words_idx VALUES(17,X'',2);
CREATE TABLE IF NOT EXISTS 'task_words_docsize'(id INTEGER PRIMARY KEY, sz BLOB, origin INTEGER);
INSERT INTO task_words_docsize VALUES(1,X'010100',2);
INSERT INTO task_words_docsize VALUES(2,X'010300',4);
INSERT INTO task_words_docsize VALUES(3,X'010200',6);
INSERT INTO task_words_docsize VALUES(4,X'010100',7);
INSERT INTO task_words_docsize VALUES(5,X'010100',8);
INSERT INTO task_words_docsize VALUES(6,X'010200',9);
INSERT INTO task_words_docsize VALUES(7,X'010100',10);
INSERT INTO task_words_docsize VALUES(8,X'010100',11);
INSERT INTO task_words_docsize VALUES(9,X'010100',12);
INSERT INTO task_words_docsize VALUES(10,X'010200',13);
INSERT INTO task_words_docsize VALUES(11,X'010200',14);
INSERT INTO task_words_docsize VALUES(12,X'010100',15);
INSERT INTO task_words_docsize VALUES(13,X'010100',16);
INSERT INTO task_words_docsize VALUES(14,X'010400',18);
INSERT INTO task_words_docsize VALUES(15,X'010100',19);
INSERT INTO task_words_docsize VALUES(16,X'010100',20);
INSERT INTO task_words_docsize VALUES(17,X'010100',21);
INSERT INTO task_words_docsize VALUES(18,X'010300',24);
INSERT INTO task_words_docsize VALUES(19,X'010100',25);
INSERT INTO task_words_docsize VALUES(20,X'010700',27);
INSERT INTO task_words_docsize VALUES(21,X'010200',28);
CREATE TABLE IF NOT EXISTS 'task_words_config'(k PRIMARY KEY, v) WITHOUT ROWID;
INSERT INTO task_words_config VALUES('version',4);
CREATE TABLE indexing (
	done INTEGER NOT NULL, -- tasks up to this seq are indexed again
	last INTEGER NOT NULL  -- and up to this one it is needed
);
INSERT INTO indexing VALUES(0,0);
CREATE TABLE quota_usage (
	owner      TEXT    NOT NULL,
	person     TEXT    NOT NULL, -- who made it; empty for all of the owner
	tasks      INTEGER NOT NULL, -- not deleted, as the comments
	comments   INTEGER NOT NULL,
	activities INTEGER NOT NULL,
	bytes      INTEGER NOT NULL, -- of all there is, deleted or not
	PRIMARY KEY (owner, person)
) WITHOUT ROWID;
INSERT INTO quota_usage VALUES('acme','',19,3,48,86793);
INSERT INTO quota_usage VALUES('acme','ada',18,2,45,80662);
INSERT INTO quota_usage VALUES('acme','grace',1,0,2,4112);
INSERT INTO quota_usage VALUES('acme','hank',0,1,1,2019);
INSERT INTO quota_usage VALUES('globex','',1,0,1,2454);
INSERT INTO quota_usage VALUES('globex','ada',1,0,1,2454);
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('guestpass_migrations',6);
INSERT INTO sqlite_sequence VALUES('tasks',21);
INSERT INTO sqlite_sequence VALUES('task_comments',5);
CREATE INDEX tasks_by_due            ON tasks (owner, due, seq)                   WHERE deleted_at = 0;
CREATE INDEX tasks_by_update         ON tasks (owner, updated_at, seq)            WHERE deleted_at = 0;
CREATE INDEX tasks_by_priority       ON tasks (owner, priority, seq)              WHERE deleted_at = 0;
CREATE INDEX tasks_by_creation       ON tasks (owner, seq)                        WHERE deleted_at = 0;
CREATE INDEX tasks_by_state_due      ON tasks (owner, state, due, seq)            WHERE deleted_at = 0;
CREATE INDEX tasks_by_assignee_due   ON tasks (owner, assignee, due, seq)         WHERE deleted_at = 0;
CREATE INDEX task_labels_by_task ON task_labels (task);
CREATE INDEX task_comments_by_task ON task_comments (owner, task_id, seq) WHERE deleted_at = 0;
CREATE INDEX activity_by_subject  ON activity (owner, subject, seq);
CREATE INDEX activity_by_target   ON activity (owner, target, seq);
CREATE INDEX activity_by_referral ON activity (owner, refers_to);
CREATE INDEX replies_by_expiry ON replies (expires_at);
CREATE INDEX connections_by_use ON connections (owner, last_used);
CREATE INDEX activity_by_client      ON activity (owner, subject, client, seq);
CREATE INDEX activity_of_removal     ON activity (owner, subject, seq)         WHERE removes = 1;
CREATE INDEX activity_app_of_removal ON activity (owner, subject, client, seq) WHERE removes = 1;
CREATE INDEX tasks_by_deletion         ON tasks (deleted_at)         WHERE deleted_at > 0;
CREATE INDEX task_comments_by_deletion ON task_comments (deleted_at) WHERE deleted_at > 0;
CREATE INDEX task_comments_of_task     ON task_comments (task_id);
PRAGMA writable_schema=OFF;
COMMIT;
