/*
 * The contract of a session, for every interleaving of three requests. README.md says what is
 * modelled, what is proven, and how to run it.
 *
 * Each d_step is one call of a store, one message between a browser and a server, or one tick of the
 * clock; anything else may come between two of them. A response that is lost on the way is one that
 * is never delivered.
 */

#define REQUESTS 3
#define CLIENTS  2
#define SESSIONS 4  /* 0 is there at the beginning; request r may create r + 1 */
#define NONE     15

/* In ticks. */
#define GRACE    1
#define IDLE     2
#define LIFETIME 3
#define END      4

mtype:deed = { READ, SET, RENEW, LOGIN, LOGOUT, DESTROY }
mtype:outcome = { COMMITTED, GONE, STALE }
mtype:answer = { NOTHING, ISSUE, DELETE }

typedef Record {
  bool exists;
  bool user;
  byte generation;
  byte fence;
  byte renewedAt;
  byte expiresAt;
  byte deadline;
  byte values  /* one bit for each request that set one */
}

typedef Cookie {
  byte session = NONE;
  byte number  /* the generation that it names */
}

typedef Request {
  bool sent;
  byte client;
  byte at;               /* when the server looked at its clock */
  Cookie presented;
  byte session = NONE;   /* that it was opened on */
  byte opened;           /* the generation under which it was opened: that of its cookie */
  byte loaded;           /* the generation of the record then */
#ifdef WRITE_WHAT_WAS_LOADED
  byte values;           /* those of the record then */
#endif
  bool lost;             /* its commit was answered gone or stale */
  mtype:answer answer = NOTHING;
  Cookie received
}

byte now;
Record record[SESSIONS];
Cookie jar[CLIENTS];
Request request[REQUESTS];

#define isLive(s) (record[s].exists && now < record[s].expiresAt)
#define isCurrent(s, g) (g == record[s].generation)
#define isInGrace(s, g, t) \
  (g + 1 == record[s].generation && g >= record[s].fence && t - record[s].renewedAt < GRACE)
#define isAccepted(s, g, t) (isCurrent(s, g) || isInGrace(s, g, t))

/* ---- What is observed. No step of the protocol reads any of this. -------------------------------- */

typedef History {
  bool created;      /* by the verb create */
  bool ended;        /* destroyed, or seen expired */
  byte chain;        /* the first session of those that continue one another */
  byte refused;      /* one bit for each generation that was not good at some moment */
  byte acknowledged; /* one bit for each request whose value was answered as committed */
  byte loggedIn      /* the generation that the last login began */
}

History history[SESSIONS];
bool barred[REQUESTS];    /* its cookie was no longer good when the request came */
bool fencedOff[REQUESTS]; /* a fence was put up after it was opened */
bool overtaken[REQUESTS]; /* its cookie is, by a fence or by the renewal of another client */
bool answered[CLIENTS];   /* its cookie is the answer to its own last request, and not overtaken */
bool readmitted, fixated, passedAFence, wroteAndLost;

/* Every step that changes a record or the time ends with this. */
inline observe() {
  for (i : 0 .. SESSIONS - 1) {
    if
    :: record[i].exists && now >= record[i].expiresAt -> history[i].ended = true
    :: else
    fi;
    for (j : 0 .. REQUESTS) {
      if
      :: record[i].exists && j <= record[i].generation && !isAccepted(i, j, now) ->
         history[i].refused = history[i].refused | (1 << j)
      :: else
      fi
    }
  }
  i = 0;
  j = 0
}

inline observeRotation(s, by, isFence) {
  for (i : 0 .. CLIENTS - 1) {
    if
    :: jar[i].session == s && (isFence || i != request[by].client) -> answered[i] = false
    :: else
    fi
  }
  for (i : 0 .. REQUESTS - 1) {
    if
    :: request[i].session == s && i != by ->
       fencedOff[i] = fencedOff[i] || isFence;
       overtaken[i] = overtaken[i] || isFence || request[i].client != request[by].client
    :: else
    fi
  }
  i = 0
}

/* ---- The verbs of a store ------------------------------------------------------------------------ */

inline create(s, deed) {
  record[s].exists = true;
  record[s].user = (deed == LOGIN);
  record[s].renewedAt = now;
  beginTime(s);
  history[s].created = true
}

inline beginTime(s) {
  record[s].expiresAt = now + IDLE;
  record[s].deadline = now + LIFETIME
}

/* A load with a touch, and any commit that does not begin the session's time anew. */
inline extend(s) {
  record[s].expiresAt = (now + IDLE > record[s].expiresAt -> now + IDLE : record[s].expiresAt);
#ifndef EXTEND_BEYOND_THE_DEADLINE
  record[s].expiresAt =
    (record[s].expiresAt > record[s].deadline -> record[s].deadline : record[s].expiresAt)
#endif
}

inline setValue(s, by, deed) {
  if
  :: deed == SET ->
     record[s].values = record[s].values | (1 << by);
     history[s].acknowledged = history[s].acknowledged | (1 << by)
  :: else
  fi
}

#ifdef NO_FENCE_CHECK
#define isStale(s, by) (false)
#else
#define isStale(s, by) (request[by].opened < record[s].fence)
#endif

inline commit(s, by, deed) {
#ifdef WRITE_BEFORE_CHECK
  record[s].values = record[s].values | (1 << by);
#endif
  if
  :: !isLive(s) ->
#ifdef COMMIT_CREATES
     record[s].exists = true;
     beginTime(s);
     outcome = COMMITTED
#else
     outcome = GONE
#endif
  :: isLive(s) && isStale(s, by) -> outcome = STALE
  :: isLive(s) && !isStale(s, by) -> apply(s, by, deed); outcome = COMMITTED
  fi
}

inline apply(s, by, deed) {
  passedAFence = passedAFence || fencedOff[by];
  if
#ifdef WRITE_WHAT_WAS_LOADED
  :: deed == SET -> record[s].values = request[by].values; extend(s); setValue(s, by, deed)
#else
  :: deed == SET -> extend(s); setValue(s, by, deed)
#endif
  :: deed == RENEW -> extend(s); renew(s, by)
  :: deed == LOGIN ->
     beginTime(s);
     record[s].user = true;
#ifdef LOGIN_RENEWS
     renew(s, by);
#else
     putUpFence(s, by);
#endif
     history[s].loggedIn = record[s].generation
  :: deed == LOGOUT ->
     beginTime(s);
     record[s].user = false;
     record[s].values = 0;
     history[s].acknowledged = 0;
     putUpFence(s, by)
  fi
}

#ifdef RENEW_WHAT_WAS_LOADED
#define renewed(by) request[by].loaded
#else
#define renewed(by) request[by].opened
#endif

inline renew(s, by) {
  if
  :: isCurrent(s, renewed(by)) ->
     record[s].generation++;
     record[s].renewedAt = now;
     observeRotation(s, by, false)
  :: else -> /* Another request has renewed already: its generation is answered. */
#ifdef ADOPTING_RESTARTS_GRACE
     record[s].renewedAt = now
#else
     skip
#endif
  fi
}

inline putUpFence(s, by) {
  record[s].generation++;
  record[s].renewedAt = now;
  record[s].fence = record[s].generation;
  observeRotation(s, by, true)
}

inline destroy(s) {
  history[s].ended = history[s].ended || record[s].exists;
  history[s].acknowledged = 0;
  record[s].exists = false;
  record[s].user = false;
  record[s].generation = 0;
  record[s].fence = 0;
  record[s].renewedAt = 0;
  record[s].expiresAt = 0;
  record[s].deadline = 0;
  record[s].values = 0
}

/* ---- A request ----------------------------------------------------------------------------------- */

#define own request[me]
#define fresh (me + 1)

/* The browser sends what is in its jar. The server looks at its clock before it asks the store. */
inline send(by) {
  own.sent = true;
  own.client = by;
  own.at = now;
  s = jar[by].session;
  own.presented.session = s;
  own.presented.number = jar[by].number;
  if
  :: s != NONE -> barred[me] = (history[s].refused >> own.presented.number) & 1
  :: else
  fi;
  s = 0
}

inline open() {
  s = own.presented.session;
  if
  :: s != NONE && isLive(s) ->
     if
     :: isCurrent(s, own.presented.number) -> extend(s)
     :: else
     fi;
     if
     :: isAccepted(s, own.presented.number, own.at) ->
        readmitted = readmitted || barred[me];
        fixated = fixated || (record[s].user && own.presented.number < history[s].loggedIn);
        own.session = s;
        own.opened = own.presented.number;
        own.loaded = record[s].generation;
#ifdef WRITE_WHAT_WAS_LOADED
        own.values = record[s].values
#endif
     :: else
     fi
  :: else
  fi;
  own.at = 0;
  own.presented.session = NONE;
  own.presented.number = 0;
  barred[me] = false;
  observe();
  s = 0
}

/* What the request did is decided here: until now it makes no difference. */
inline finish(deed) {
  s = own.session;
  if
  :: s == NONE && (deed == SET || deed == LOGIN) -> begin(deed)
  :: s == NONE && !(deed == SET || deed == LOGIN)
  :: s != NONE && deed == READ ->
     if
     :: own.opened < own.loaded -> issue(s); own.received.number = own.loaded
     :: else
     fi
  :: s != NONE && deed == DESTROY -> destroy(s); own.answer = DELETE
  :: s != NONE && deed != READ && deed != DESTROY -> finishByCommit(deed)
  fi;
  settle(deed)
}

inline finishByCommit(deed) {
  before = record[s].generation;
  values = record[s].values;
  commit(s, me, deed);
  if
  :: outcome == COMMITTED ->
     overtaken[me] = false;
     if
     :: deed != SET || own.opened < own.loaded -> issue(s)
     :: else
     fi
  :: else ->
     own.lost = true;
     wroteAndLost = wroteAndLost || before != record[s].generation || values != record[s].values;
#ifdef DELETION_COOKIE_WHEN_LOST
     own.answer = DELETE
#endif
  fi;
  outcome = 0;
  before = 0;
  values = 0
}

inline begin(deed) {
  create(fresh, deed);
  setValue(fresh, me, deed);
  own.session = fresh;
  s = fresh;
  issue(s)
}

#ifdef ROTATE_BY_COPY
inline copy() {
  s = own.session;
  values = record[s].values;
  history[fresh].chain = s;
  begin(RENEW);
  record[s].values = values;
  values = 0;
  observe();
  s = 0
}
#endif

inline issue(s) {
  own.answer = ISSUE;
  own.received.session = s;
  own.received.number = record[s].generation
}

inline settle(deed) {
  own.opened = 0;
  own.loaded = 0;
#ifdef WRITE_WHAT_WAS_LOADED
  own.values = 0;
#endif
  fencedOff[me] = false;
  observe();
  s = 0
}

inline deliver() {
  if
  :: own.answer == ISSUE ->
     jar[own.client].session = own.received.session;
     jar[own.client].number = own.received.number;
     answered[own.client] = !overtaken[me]
  :: own.answer == DELETE ->
     jar[own.client].session = NONE;
     jar[own.client].number = 0;
     answered[own.client] = false
  :: own.answer == NOTHING
  fi;
  own.answer = NOTHING;
  own.received.session = NONE;
  own.received.number = 0;
  own.client = 0;
  own.session = NONE;
  own.lost = false;
  overtaken[me] = false
}

#define isNext (me == 0 || request[me - 1].sent)

proctype Visit(byte me) {
  byte s, i, j, outcome, before, values;
  if
  :: d_step { isNext -> send(0) }
  :: d_step { isNext && me > 0 -> send(1) }
  fi;
  d_step { open() };
  if
  :: d_step { finish(READ) }
  :: d_step { finish(SET) }
#ifdef ROTATE_BY_COPY
  :: d_step { own.session != NONE && isLive(own.session) -> copy() };
     d_step { s = history[fresh].chain; destroy(s); settle(RENEW) }
#else
  :: d_step { finish(RENEW) }
#endif
  :: d_step { finish(LOGIN) };
     if /* A login brings its own authority: when it has lost its session it begins another. */
     :: d_step { own.lost -> begin(LOGIN); settle(LOGIN) }
     :: !own.lost
     fi
  :: d_step { finish(LOGOUT) }
  :: d_step { finish(DESTROY) }
  fi;
  d_step { deliver() }
}

proctype Clock() {
  byte i, j;
  do
  :: d_step { now < END -> now++; observe() }
  :: now == END -> break
  od
}

/*
 * Requests are numbered as they are sent, and the first client is that of the first one: what differs
 * by these names alone is looked at once.
 */
init {
  byte i;
  atomic {
    for (i : 0 .. SESSIONS - 1) {
      history[i].chain = i
    }
    for (i : 0 .. CLIENTS - 1) {
      jar[i].session = 0;
      answered[i] = true
    }
    i = 0;
    create(i, READ);
    run Visit(0);
    run Visit(1);
    run Visit(2);
    run Clock()
  }
}

/* ---- What is proven ------------------------------------------------------------------------------ */

/* At every moment, whatever came before. */
#define always(name, p) never name { do :: assert(p) od }

#define ofEach(p) (p(0) && p(1) && p(2) && p(3))

#define isFinal(s) \
  (!(isLive(s) && history[s].ended) && (!record[s].exists || history[s].created))
#define final ofEach(isFinal)
always(dead_sessions_stay_dead, final)

#define isBounded(s) (!isLive(s) || now < record[s].deadline)
#define bounded ofEach(isBounded)
always(no_session_outlives_its_deadline, bounded)

#define fenced (!passedAFence)
always(nothing_passes_a_fence, fenced)

#define unfixated (!fixated)
always(nobody_is_logged_in_by_an_older_cookie, unfixated)

#define refusedForGood (!readmitted)
always(a_refused_cookie_stays_refused, refusedForGood)

#define areRivals(s, t) (isLive(s) && isLive(t) && history[s].chain == history[t].chain)
#define unrivalled \
  !(areRivals(0, 1) || areRivals(0, 2) || areRivals(0, 3) || areRivals(1, 2) || areRivals(1, 3) || areRivals(2, 3))
always(one_credential_is_current, unrivalled)

#define isWithinGrace(s) (isLive(s) && now - record[s].renewedAt < GRACE)
#define mayUse(s, g) (!isWithinGrace(s) || isAccepted(s, g, now))
#define isServed(c) \
  (!answered[c] || jar[c].session == NONE || mayUse(jar[c].session, jar[c].number))
#define served (isServed(0) && isServed(1))
always(whoever_was_answered_has_a_good_cookie, served)

#define isKept(s) (!isLive(s) || (history[s].acknowledged & ~record[s].values) == 0)
#define kept ofEach(isKept)
always(acknowledged_values_are_kept, kept)

#define unwritten (!wroteAndLost)
always(what_is_lost_writes_nothing, unwritten)

#define isMute(r) (request[r].answer == NOTHING)
#define isAnew(r) (request[r].answer == ISSUE && request[r].received.session == r + 1)
#define isHarmless(r) (!request[r].lost || isMute(r) || isAnew(r))
#define harmless (isHarmless(0) && isHarmless(1) && isHarmless(2))
always(what_is_lost_sends_no_cookie, harmless)

/* All of it in one run; a run for each of them says which one does not hold. */
#define everything \
  (final && bounded && fenced && unfixated && refusedForGood && unrivalled && served && kept \
   && unwritten && harmless)
always(all_of_it, everything)
