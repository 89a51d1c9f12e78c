/* Replies: those of the generator in words, whatever the batch; pieces that are whole characters; stored ones; folders
 * that can't answer. */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "data/nearest_reply.h"
#include "infer/reply_stream.h"
#include "infer/responder.h"
#include "models/input_template.h"
#include "models/task_file.h"
#include "tests/bpe_files.h"
#include "tests/small_responder.h"

static as_context *ctx;
static const char *folder;

static void put_file(const char *name, const char *text) {
  char *path = as_path_join(ctx, folder, name);
  ck_assert_ok(ctx, as_file_write(ctx, path, text, strlen(text)));
  as_free(ctx, path);
}

static void setup(void) {
  ctx = as_test_context(2);
  folder = as_test_folder();
  as_write_small_responder(ctx, folder);
}
static void teardown(void) {
  as_test_folder_remove(folder);
  as_test_context_free(ctx);
}

static const as_customer_message messages[] = {{"Where is my order?", 18, "tracking", "negative"},
                                               {"Cancel the order", 16, NULL, ""},
                                               {"caf\xC3\xA9 \xFF today", 12, "support", NULL},
                                               {"", 0, NULL, NULL},
                                               {"gold gold gold gold gold gold gold gold", 39, "support", "positive"}};
enum { MESSAGES = sizeof messages / sizeof messages[0] };

static as_responder *open_responder(as_reply_mode mode) {
  as_responder *responder;
  ck_assert_ok(ctx, as_responder_open(ctx, folder, mode, &responder));
  return responder;
}

/* Drawn, so that replies differ. */
static as_respond_options drawing(const as_responder *responder, int64_t most) {
  as_respond_options o = as_responder_defaults(responder);
  o.generate.do_sample = true;
  o.generate.seed = 5;
  o.generate.max_new_tokens = most;
  return o;
}

static as_responses answer(as_responder *responder, const as_respond_options *options, int64_t count) {
  as_responses responses;
  ck_assert_ok(ctx, as_responder_answer(responder, messages, count, options, &responses));
  ck_assert_int_eq(responses.messages, count);
  return responses;
}

/* ---- generated replies ------------------------------------------------------------------------------------------ */

/* What the parts say on their own: template, tokenizer, generator. */
static void check_reply(const as_responses *responses, int64_t index, const as_respond_options *options,
                        const char *input_template) {
  as_tokenizer *tokenizer;
  as_t5 *t5;
  as_generator *generator;
  as_encoding encoding;
  as_encoder_batch source;
  as_generations made;
  as_buffer text;
  const as_customer_message *m = &messages[index];
  const as_input_values values = {m->text, m->length, m->intent, m->sentiment};
  as_generate_options o = options->generate;
  int64_t ids[64];
  o.first_sequence = (uint64_t)(index * responses->each);
  as_buffer_init(&text, ctx);
  as_encoding_init(&encoding, ctx);
  as_encoder_batch_init(&source, ctx);
  ck_assert_ok(ctx, as_tokenizer_open(ctx, folder, &tokenizer));
  ck_assert_ok(ctx, as_t5_open(ctx, folder, &(as_t5_options){.dropout = 0}, &t5));
  ck_assert_ok(ctx, as_generator_new(ctx, t5, &generator));
  ck_assert_ok(ctx, as_tokenizer_encode(tokenizer, m->text, m->length, NULL, 0, &(as_encode_options){0}, &encoding));
  ck_assert_int_eq(responses->input_lengths[index], (int64_t)encoding.length);
  as_input_template_render(input_template, &values, &text);
  const as_encode_options cut = {.max_length = (size_t)options->max_length};
  ck_assert_ok(ctx, as_tokenizer_encode(tokenizer, as_buffer_string(&text), text.length, NULL, 0, &cut, &encoding));
  ck_assert_int_eq(responses->truncated[index], encoding.cut > 0);
  ck_assert_ok(ctx, as_encoder_batch_add(&source, encoding.ids, (int64_t)encoding.length, -100));
  ck_assert_ok(ctx, as_generate(generator, &source, &o, &made));
  for (int64_t i = 0; i < responses->each; i++) {
    const as_response *reply = &responses->list[index * responses->each + i];
    ck_assert_int_eq(reply->output_length, made.offsets[i + 1] - made.offsets[i]);
    ck_assert_int_eq(reply->reason, made.reasons[i]);
    ck_assert_double_eq_tol(reply->score, made.scores[i], 1e-5);
    for (int64_t k = 0; k < reply->output_length; k++) ids[k] = made.ids[made.offsets[i] + k];
    as_buffer_clear(&text);
    ck_assert_ok(ctx, as_tokenizer_decode(tokenizer, ids, (size_t)reply->output_length, true, &text));
    ck_assert_str_eq(reply->text, as_buffer_string(&text));
    ck_assert_uint_eq(reply->length, text.length);
  }
  as_generations_free(&made);
  as_generator_free(generator);
  as_t5_free(t5);
  as_tokenizer_free(tokenizer);
  as_encoder_batch_free(&source);
  as_encoding_free(&encoding);
  as_buffer_free(&text);
}

START_TEST(replies_are_those_of_the_generator_whatever_the_batch) {
  as_responder *responder = open_responder(AS_REPLY_AUTO);
  ck_assert_int_eq(as_responder_mode(responder), AS_REPLY_GENERATE);
  as_respond_options options = drawing(responder, 12);
  options.max_length = 30;
  for (int variant = 0; variant < 3; variant++) {
    options.batch = variant == 0 ? 16 : 2;
    if (variant == 2) {
      options.generate.do_sample = false;
      options.generate.num_beams = 3;
    }
    options.generate.num_return_sequences = variant == 0 ? 1 : 2;
    as_responses responses = answer(responder, &options, MESSAGES);
    for (int64_t i = 0; i < MESSAGES; i++) check_reply(&responses, i, &options, AS_INPUT_TEMPLATE_DEFAULT);
    ck_assert(responses.truncated[4] && !responses.truncated[3]);
    as_responses_free(&responses);
  }
  as_responder_close(responder);
}
END_TEST

START_TEST(the_folder_says_template_and_lengths) {
  put_file("assistify.json", "{\"task\": \"response\", \"input_template\": \"{sentiment} > {content}\"}");
  put_file("recipe.json", "{\"max_length\": 9, \"max_target_length\": 7}");
  as_responder *responder = open_responder(AS_REPLY_AUTO);
  ck_assert(!as_responder_reads_intent(responder) && as_responder_reads_sentiment(responder));
  as_respond_options options = as_responder_defaults(responder);
  ck_assert_int_eq(options.max_length, 9);
  ck_assert_int_eq(options.generate.max_new_tokens, 7);
  as_responses responses = answer(responder, &options, MESSAGES);
  for (int64_t i = 0; i < MESSAGES; i++) check_reply(&responses, i, &options, "{sentiment} > {content}");
  as_responses_free(&responses);
  as_responder_close(responder);
}
END_TEST

/* ---- stop strings, pieces --------------------------------------------------------------------------------------- */

typedef struct pieces {
  as_buffer text;
  int count;
} pieces;

static void take_piece(void *user, const char *piece, size_t length) {
  pieces *p = user;
  ck_assert_uint_gt(length, 0);
  ck_assert_msg(as_utf8_valid(piece, length), "piece %d is half a character", p->count);
  as_buffer_append(&p->text, piece, length);
  p->count++;
}

START_TEST(replies_end_before_stop_strings_and_come_in_pieces) {
  as_responder *responder = open_responder(AS_REPLY_GENERATE);
  as_respond_options options = drawing(responder, 40);
  pieces p = {.count = 0};
  char stop[8] = "";
  const char *const strings[] = {"never", stop};
  as_buffer_init(&p.text, ctx);
  as_responses whole = answer(responder, &options, 1), cut;
  ck_assert_uint_gt(whole.list[0].length, 20);
  options.on_text = take_piece;
  options.user = &p;
  cut = answer(responder, &options, 1);
  ck_assert_str_eq(cut.list[0].text, whole.list[0].text);
  ck_assert_str_eq(as_buffer_string(&p.text), whole.list[0].text);
  ck_assert_int_gt(p.count, 5);
  as_responses_free(&cut);

  options.stop_strings = strings;
  options.stop_count = 2;
  for (size_t at = 1; at + 4 <= whole.list[0].length; at += 3) {
    memcpy(stop, whole.list[0].text + at, 3);
    const size_t first = (size_t)(strstr(whole.list[0].text, stop) - whole.list[0].text);
    as_buffer_clear(&p.text);
    cut = answer(responder, &options, 1);
    ck_assert_int_eq(cut.list[0].reason, AS_FINISH_STOP);
    ck_assert_uint_eq(cut.list[0].length, first);
    ck_assert(memcmp(cut.list[0].text, whole.list[0].text, first) == 0 && cut.list[0].text[first] == '\0');
    ck_assert_str_eq(as_buffer_string(&p.text), cut.list[0].text);
    ck_assert_int_le(cut.list[0].output_length, whole.list[0].output_length);
    as_responses_free(&cut);
  }
  stop[0] = '\0';
  ck_assert_refused(ctx, as_responder_answer(responder, messages, 1, &options, &cut), AS_E_INVALID, "is empty");
  as_responses_free(&cut);
  options.stop_count = 0;
  options.generate.do_sample = false;
  options.generate.num_beams = 2;
  ck_assert_refused(ctx, as_responder_answer(responder, messages, 1, &options, &cut), AS_E_INVALID, "no pieces");
  as_responses_free(&cut);
  as_responses_free(&whole);
  as_buffer_free(&p.text);
  as_responder_close(responder);
}
END_TEST

/* Each token is a byte, so most characters come in parts. */
START_TEST(pieces_of_byte_tokens_are_whole_characters) {
  static const char text[] = "caf\xC3\xA9 \xE4\xB8\xAD\xE6\x96\x87 \xF0\x9F\x98\x80! the end \xF0\x9F\x98\x80";
  static const char *const none[] = {"\xE6\x96\x88"}, *const some[] = {"\xF0\x9F\x98\x80!"};
  static const struct {
    const char *const *strings;
    size_t count, length;
  } cases[] = {{NULL, 0, sizeof text - 1}, {none, 1, sizeof text - 1}, {some, 1, 13}};
  as_tokenizer *tokenizer = open_small_bpe(ctx, NULL);
  as_encoding encoding;
  as_encoding_init(&encoding, ctx);
  ck_assert_ok(ctx, as_tokenizer_encode(tokenizer, text, strlen(text), NULL, 0,
                                        &(as_encode_options){.no_special_tokens = true}, &encoding));
  for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
    as_stop_strings stop;
    as_reply_stream stream;
    pieces p = {.count = 0};
    as_buffer_init(&p.text, ctx);
    ck_assert_ok(ctx, as_stop_strings_init(&stop, ctx, tokenizer, cases[c].strings, cases[c].count));
    as_reply_stream_init(&stream, ctx, tokenizer, &stop, take_piece, &p);
    for (size_t i = 0; i < encoding.length; i++) as_reply_stream_put(&stream, encoding.ids[i]);
    ck_assert_ok(ctx, as_reply_stream_end(&stream));
    ck_assert_uint_eq(p.text.length, cases[c].length);
    ck_assert(memcmp(p.text.data, text, p.text.length) == 0);
    ck_assert_int_gt(p.count, 5);
    as_reply_stream_free(&stream);
    as_stop_strings_free(&stop);
    as_buffer_free(&p.text);
  }
  as_encoding_free(&encoding);
  as_tokenizer_free(tokenizer);
}
END_TEST

static bool at_once(void *user) {
  (void)user;
  return true;
}

START_TEST(an_interrupted_answer_says_so) {
  as_responder *responder = open_responder(AS_REPLY_GENERATE);
  as_respond_options options = as_responder_defaults(responder);
  as_responses responses;
  options.interrupted = at_once;
  ck_assert_int_eq(as_responder_answer(responder, messages, 1, &options, &responses), AS_E_INTERRUPTED);
  as_responses_free(&responses);
  ck_assert_ok(ctx, as_responder_answer(responder, messages, 0, &options, &responses));
  as_responses_free(&responses);
  options.max_length = 1;
  ck_assert_refused(ctx, as_responder_answer(responder, messages, 1, &options, &responses), AS_E_INVALID, "max_length");
  as_responses_free(&responses);
  as_responder_close(responder);
}
END_TEST

/* ---- stored replies --------------------------------------------------------------------------------------------- */

static const char replies[] = "content,response,intent\n"
                              "where is my order,It is on its way.,tracking\n"
                              "cancel my order,The order is cancelled.,support\n";

static void check_auto(const char *task_file, as_reply_mode expected) {
  put_file("assistify.json", task_file);
  as_responder *responder = open_responder(AS_REPLY_AUTO);
  ck_assert_int_eq(as_responder_mode(responder), expected);
  as_responder_close(responder);
}

START_TEST(auto_takes_what_was_better_in_training) {
  static const char better[] =
      "{\"task\": \"response\", \"validation\": {\"rows\": 9, \"bleu\": 2, \"nearest_bleu\": 14, "
      "\"frequent_bleu\": 1}}";
  static const char worse[] =
      "{\"task\": \"response\", \"validation\": {\"rows\": 9, \"bleu\": 20, \"nearest_bleu\": 14, "
      "\"frequent_bleu\": 1}}";
  check_auto(better, AS_REPLY_GENERATE); /* there are no replies */
  put_file(AS_NEAREST_REPLY_FILE, replies);
  check_auto(better, AS_REPLY_NEAREST);
  check_auto(worse, AS_REPLY_GENERATE);
  check_auto("{\"task\": \"response\"}", AS_REPLY_GENERATE);
}
END_TEST

static void check_json(const as_responder *responder, const as_responses *responses, int64_t index,
                       const char *expected) {
  as_buffer out;
  as_buffer_init(&out, ctx);
  as_json_writer writer = as_json_writer_start(&out, 0);
  as_json_open_object(&writer, NULL);
  as_response_write(&writer, responder, responses, index);
  as_json_close_object(&writer);
  ck_assert_str_eq(as_buffer_string(&out), expected);
  as_buffer_free(&out);
}

START_TEST(stored_replies_are_given_and_written) {
  put_file(AS_NEAREST_REPLY_FILE, replies);
  as_responder *responder = open_responder(AS_REPLY_NEAREST);
  pieces p = {.count = 0};
  as_buffer_init(&p.text, ctx);
  ck_assert(as_responder_reads_intent(responder) && !as_responder_reads_sentiment(responder));
  as_respond_options options = as_responder_defaults(responder);
  options.generate.num_return_sequences = 3;
  options.on_text = take_piece;
  options.user = &p;
  as_responses responses = answer(responder, &options, MESSAGES);
  ck_assert_int_eq(responses.each, 1);
  ck_assert_str_eq(responses.list[0].text, "It is on its way.");
  ck_assert_str_eq(responses.list[1].text, "The order is cancelled.");
  ck_assert_str_eq(as_buffer_string(&p.text), "It is on its way.");
  responses.list[0].similarity = 0.5;
  responses.list[0].output_length = 9;
  responses.input_lengths[0] = 7;
  check_json(responder, &responses, 0,
             "{\"response\":\"It is on its way.\",\"model\":\"t5-v1.1\",\"input_length\":7,\"output_length\":9,"
             "\"finish_reason\":\"stored\",\"truncated\":false,\"source\":\"nearest\",\"similarity\":0.5}");
  as_responses_free(&responses);
  as_buffer_free(&p.text);
  as_responder_close(responder);
}
END_TEST

START_TEST(generated_replies_are_written) {
  as_responder *responder = open_responder(AS_REPLY_GENERATE);
  as_response list[] = {{"One", 3, 4, AS_FINISH_EOS, -1.5, 0},
                        {"Two", 3, 5, AS_FINISH_LENGTH, -2.5, 0},
                        {"", 0, 1, AS_FINISH_STOP, -3.5, 0}};
  int64_t lengths[] = {8};
  bool truncated[] = {true};
  const as_responses responses = {
      .messages = 1, .each = 3, .list = list, .input_lengths = lengths, .truncated = truncated};
  check_json(responder, &responses, 0,
             "{\"response\":\"One\",\"model\":\"t5-v1.1\",\"input_length\":8,\"output_length\":4,"
             "\"finish_reason\":\"eos\",\"truncated\":true,\"source\":\"generate\",\"score\":-1.5,\"alternatives\":["
             "{\"response\":\"Two\",\"output_length\":5,\"finish_reason\":\"length\",\"score\":-2.5},"
             "{\"response\":\"\",\"output_length\":1,\"finish_reason\":\"stop\",\"score\":-3.5}]}");
  as_responder_close(responder);
}
END_TEST

/* ---- what fails ------------------------------------------------------------------------------------------------- */

static const struct {
  const char *name, *text;
  as_reply_mode mode;
  const char *fragment;
} wrong[] = {
    {"assistify.json", "{\"task\": \"intent\"}", AS_REPLY_AUTO, "intent"},
    {"assistify.json", "{\"task\": \"response\", \"validation\": {\"rows\": 0}}", AS_REPLY_AUTO, "validation.rows"},
    {"assistify.json", "{\"task\": \"response\", \"validation\": {\"rows\": 1, \"bleu\": \"\"}}", AS_REPLY_AUTO,
     "validation.bleu"},
    {"recipe.json", "{\"max_length\": 1}", AS_REPLY_AUTO, "max_length must be"},
    {"recipe.json", "{\"max_target_length\": \"x\"}", AS_REPLY_AUTO, "max_target_length must be"},
    {"config.json", "{\"model_type\": \"t5\", \"vocab_size\": 7}", AS_REPLY_NEAREST, "do not belong together"},
    {"tokenizer.json", "{", AS_REPLY_AUTO, "tokenizer.json"},
    {"model.safetensors", "", AS_REPLY_GENERATE, "model.safetensors"},
    {"README", "", AS_REPLY_NEAREST, AS_NEAREST_REPLY_FILE}};

START_TEST(folders_that_cannot_answer_are_refused) {
  as_responder *responder;
  put_file(wrong[_i].name, wrong[_i].text);
  ck_assert_refused(ctx, as_responder_open(ctx, folder, wrong[_i].mode, &responder), AS_E_MODEL, wrong[_i].fragment);
  ck_assert_ptr_null(responder);
}
END_TEST

static void pass_over(void *user, const char *piece, size_t length) {
  (void)user, (void)piece, (void)length;
}

START_TEST(failing_allocations_are_reported) {
  static const char *const strings[] = {"zzz"};
  put_file(AS_NEAREST_REPLY_FILE, replies);
  for (uint64_t n = 1;; n += 1 + n / 40) {
    as_responder *responder;
    as_responses responses = {0};
    as_test_fail_at(ctx, n);
    as_status status = as_responder_open(ctx, folder, _i ? AS_REPLY_NEAREST : AS_REPLY_GENERATE, &responder);
    if (status == AS_OK) {
      as_respond_options options = drawing(responder, 3);
      options.stop_strings = strings;
      options.stop_count = 1;
      options.on_text = pass_over;
      status = as_responder_answer(responder, messages, 2, &options, &responses);
    }
    const bool failed = as_test_failed_one(ctx);
    as_test_fail_at(ctx, 0);
    as_responses_free(&responses);
    as_responder_close(responder);
    ck_assert_msg(status == (failed ? AS_E_NOMEM : AS_OK), "allocation %d: %s", (int)n, as_status_name(status));
    if (!failed) break;
  }
}
END_TEST

Suite *as_suite(void) {
  Suite *suite = suite_create("responder");
  TCase *tests = tcase_create("responder");
  tcase_set_timeout(tests, 120);
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, replies_are_those_of_the_generator_whatever_the_batch);
  tcase_add_test(tests, the_folder_says_template_and_lengths);
  tcase_add_test(tests, replies_end_before_stop_strings_and_come_in_pieces);
  tcase_add_test(tests, pieces_of_byte_tokens_are_whole_characters);
  tcase_add_test(tests, an_interrupted_answer_says_so);
  tcase_add_test(tests, auto_takes_what_was_better_in_training);
  tcase_add_test(tests, stored_replies_are_given_and_written);
  tcase_add_test(tests, generated_replies_are_written);
  tcase_add_loop_test(tests, folders_that_cannot_answer_are_refused, 0, (int)(sizeof wrong / sizeof wrong[0]));
  tcase_add_loop_test(tests, failing_allocations_are_reported, 0, 2);
  suite_add_tcase(suite, tests);
  return suite;
}
