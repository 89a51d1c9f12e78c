/* support: the customer needs help to use something: an account, the site, a device, a bill. */
#include "data/templates.h"

enum { N = AS_TONE_NEGATIVE, O = AS_TONE_NEUTRAL, P = AS_TONE_POSITIVE, ANY = AS_TONE_ANY };
#define CORES (const as_synth_core[])
#define LIST (const char *const[])

static const as_synth_topic topics[] = {
    {"login",
     CORES{
         {ANY, "I [can't|cannot|am unable to] [log in|sign in|get into my account]."},
         {ANY, "I forgot my [password|user name|login] [again|], how do I [reset|recover] it?"},
         {O, "reset password"},
         {N, "your site logs me out every [minute|time I click], fix it."},
         {ANY, "the [code|confirmation mail|reset link] never [arrives|comes]."},
         {O, "my account is locked after <3-6> attempts, [can|could] you unlock it?"},
         {P, "you helped my [mother|brother] with a login before, now I need the same [help|magic]!"},
         {0, NULL},
     },
     LIST{
         "I have sent a new link to the address we have for you: {{reset_link}}. It is valid for an hour.",
         "your account is open again. Please choose a new password at {{reset_link}}.",
         "[please look|have a look] in the spam folder; if the mail is not there, I can change the address.",
         NULL,
     }},
    {"account",
     CORES{
         {ANY, "how [do|can] I [change|update] my [address|mail address|phone number|name] in [my|the] account?"},
         {O, "[please|I want to] [delete|close] my account."},
         {O, "I have two accounts, can you [merge|join] them?"},
         {N, "I keep getting your newsletter although I switched it off <2-5> times."},
         {ANY, "I [need|want] to [change|replace] the card [stored|saved] in my account."},
         {P, "the new account page is lovely, only how do I change my picture?"},
         {ANY, "where [do|can] I [switch off|change] the notifications?"},
         {0, NULL},
     },
     LIST{
         "under \"My account\", \"Settings\" you can change that yourself; I have opened the page for you: "
         "{{settings_link}}.",
         "done, the change is saved. You will get a mail that confirms it.",
         "I have passed this on; your data will be [changed|removed] within two days.",
         NULL,
     }},
    {"device",
     CORES{
         {ANY, "how do I [set up|install|connect|pair] [my|the] {product}?"},
         {ANY, "my {product} does not [connect to my {device}|turn on any more|charge|switch off]."},
         {N, "my {product} [keeps crashing|freezes all the time|makes a terrible noise] and the manual is useless."},
         {O, "where [can I find|is] the manual [for|of] the {product}?"},
         {ANY, "the {product} shows error <10-99>, what [does that mean|should I do]?"},
         {O | P, "is there an update for the {product}?"},
         {P, "I love my {product}, I just can't find out how to [reset|clean|update] it."},
         {O, "the {part} of my {product} is stuck, how do I [open|loosen] it?"},
         {0, NULL},
     },
     LIST{
         "please [hold|press] the power button for ten seconds and start {your_product} again. If that does not help, "
         "follow "
         "{{guide_link}}.",
         "the steps for {your_product} are at {{manual_link}}; page 4 shows the connection.",
         "this message means that {your_product} needs the update at {{update_link}}; it takes five minutes.",
         NULL,
     }},
    {"site",
     CORES{
         {ANY, "the [app|site|page] does not [load|open|work] on my {device}."},
         {N, "your app crashes [whenever|every time] I open my [orders|basket|profile]."},
         {O, "I get [error <400-504>|a white page] when I [open|click on] [my orders|the basket]."},
         {ANY, "I [can't|cannot] [upload a photo|enter my address|open the menu] on your site."},
         {P, "the app is [great|beautiful], but the search does nothing since the update, could you look?"},
         {0, NULL},
     },
     LIST{
         "our engineers are on it. Until then please use {{web_link}} or empty the cache of the app.",
         "please update the app to the newest version, which mends this: {{app_link}}.",
         NULL,
     }},
    {"voucher",
     CORES{
         {O, "voucher code not accepted, [what now|please check]."},
         {ANY, "my [voucher|gift card|discount code] does not work[, what am I doing wrong|]?"},
         {ANY, "where do I enter [a voucher|my gift card|the code from your newsletter]?"},
         {N, "the code you sent me is \"invalid\" every time I try it."},
         {P, "thank you for the voucher, how do I use it?"},
         {0, NULL},
     },
     LIST{
         "the code works from a basket of {{voucher_minimum}} on; I have added it to your account by hand.",
         "enter it at the last step of the order under \"Code\". I have checked yours, and it is valid until "
         "{{voucher_end}}.",
         NULL,
     }},
    {"billing",
     CORES{
         {ANY, "I need [an invoice|a receipt|the bill] for order {order}."},
         {ANY, "[can|could] you send me the [invoice|receipt] again?"},
         {O, "the invoice [has|shows] the wrong [name|address|tax number], please correct it."},
         {ANY, "there is a charge of {amount} on my card that I [do not recognise|can't place], can you explain it?"},
         {N, "for {wait} I have been asking for a proper invoice, I need it for my taxes."},
         {P, "everything went well, could you just send me the invoice for the {product}?"},
         {0, NULL},
     },
     LIST{
         "the invoice for {your_order} is attached; you find all of them under \"My account\", \"Bills\".",
         "I have corrected the invoice and sent it to you once more.",
         "the charge belongs to {your_order}: {{charge_details}}.",
         NULL,
     }},
    {"order help",
     CORES{
         {ANY, "can [someone|an agent|a person] [help me|assist me] with order {order}?"},
         {ANY, "I entered the wrong [address|phone number|name] for order {order}, how do I [change|correct] it?"},
         {O, "I want to [talk|speak] to [a person|somebody|an agent]."},
         {O, "I never got a confirmation for [my order|order {order}], did it work?"},
         {N, "your bot does not understand me, give me a human who can help with order {order}."},
         {P, "your chat team is [fantastic|so patient], can they help me add a note to order {order}?"},
         {0, NULL},
     },
     LIST{
         "I have opened {your_order} and can change it for you: what should it say?",
         "the change in {your_order} is made; a new confirmation is on its way.",
         "a colleague will call you at {{phone_number}} within the hour.",
         NULL,
     }},
    {NULL, NULL, NULL},
};

const as_synth_intent as_synth_support = {"support", {34, 52, 14}, topics};
