/* complaint: the customer wants the shop to know that something was bad. */
#include "data/templates.h"

enum { N = AS_TONE_NEGATIVE, O = AS_TONE_NEUTRAL, P = AS_TONE_POSITIVE, ANY = AS_TONE_ANY };
#define CORES (const as_synth_core[])
#define LIST (const char *const[])

static const as_synth_topic topics[] = {
    {"file",
     CORES{
         {ANY,
          "I [want|would like|wish] to [make|file|submit|lodge] a complaint[ about {a_product}| about your service|]."},
         {O, "how [do|can] I [make|file] a complaint?"},
         {O, "to whom [do I send|should I address] a complaint[ about order {order}|]?"},
         {N, "I want to complain about [your service|the way I was treated|order {order}|your staff]."},
         {N, "I demand to speak to [your manager|a supervisor|someone in charge]."},
         {N, "this is [an official|a formal] complaint about order {order}."},
         {P, "I like your shop very much, but this time I have to file a complaint."},
         {O, "complaint about order {order}"},
         {0, NULL},
     },
     LIST{
         "your complaint is recorded under {{complaint_number}}. The head of customer service answers within two days.",
         "please tell me what happened with {your_order}; I put it before my manager today.",
         NULL,
     }},
    {"service",
     CORES{
         {N, "your [agent|staff|hotline] was [rude|unfriendly|no help at all|condescending]."},
         {N, "I was on hold for <20-90> minutes and then [cut off|hung up on]."},
         {N, "<3-8> mails and not a single answer, what kind of [service|company] is this?"},
         {N, "every agent tells me something else."},
         {N, "worst customer service I have ever [seen|had|dealt with]."},
         {O, "I would like to give feedback about a call with one of your agents that did not go well."},
         {O, "the agent on the phone ended the call before my question was answered, please take note."},
         {P, "most of your team is lovely, but the agent {when} was really unfriendly, please pass that on."},
         {0, NULL},
     },
     LIST{
         "that is not how we want to treat anybody. I have passed your message to the head of the team, who will call "
         "you.",
         "we have listened to the call and spoken with the colleague. As an apology, {{voucher_amount}} are on your "
         "account.",
         NULL,
     }},
    {"quality",
     CORES{
         {N, "the quality of the {product} is [terrible|awful|a joke|shameful]."},
         {N, "the {product} fell apart after <2-9> days, what [rubbish|junk] do you sell?"},
         {N, "the {part} of your {product} is the cheapest plastic I have ever [seen|touched]."},
         {N, "the {product} looks [used|second-hand|dirty], and you sold it as new."},
         {N, "I paid {amount} for {a_product} that smells [of glue|awful]."},
         {O, "the {product} is not of the quality that your advertisement describes, and I want that noted."},
         {P, "I am usually a big fan, but the new {product} is a step down in quality and you should know."},
         {0, NULL},
     },
     LIST{
         "this is not the quality we stand for. I have reported {your_product} to our buyers with your remarks.",
         "thank you for being open about {your_product}. We check the whole batch and offer you {{voucher_amount}}.",
         NULL,
     }},
    {"delivery",
     CORES{
         {N, "{carrier} threw my parcel over the [fence|hedge|gate]!"},
         {N, "my {product} was left in the rain [in front of the house|on the street]."},
         {N, "three times in a row you deliver late, that is [no way to run a shop|shameful]."},
         {N, "the driver [shouted at me|was rude|did not even ring the bell]."},
         {N, "you promise next day delivery and it takes {wait}, that is a lie."},
         {O, "the driver parked in front of our gate for half an hour, I would like to report that."},
         {P, "the {product} is great, but your courier left it in a puddle and I have to complain about that."},
         {0, NULL},
     },
     LIST{
         "we have reported this to the carrier and asked for an explanation about {your_order}.",
         "that must not happen. I have noted \"ring the bell, no drop-off\" for you and credited {{voucher_amount}}.",
         NULL,
     }},
    {"charges",
     CORES{
         {N, "you [charged|billed] me {amount} too much and nobody explains why."},
         {N, "[hidden|secret] fees of {amount}, that is [a rip-off|fraud|theft]!"},
         {N, "your prices are a [rip-off|scandal], {amount} for {a_product}."},
         {N, "your advertisement promised a discount and the shop ignores it, that is misleading."},
         {N, "I cancelled my {plan} months ago and you keep taking {amount} from me, shame on you."},
         {O, "the price at checkout differs from the price on the page, I object to that."},
         {P, "you are a good shop, so please stop adding {amount} of fees at the end, it spoils everything."},
         {0, NULL},
     },
     LIST{
         "you are right to object. I have checked {your_order} and pay back {{refund_amount}}.",
         "the page showed an old price. You pay the lower one; the difference of {{refund_amount}} is on its way.",
         NULL,
     }},
    {"trust",
     CORES{
         {N, "I will never [buy|order] [from you |here |]again."},
         {N, "you have lost a customer."},
         {N, "I am going to [leave a bad review|tell the press|report you to consumer protection]."},
         {O, "please note that I am dissatisfied with how order {order} was handled."},
         {P, "I wish you well and loved the old shop, but what you made of it is a real shame."},
         {0, NULL},
     },
     LIST{
         "I am sorry to read this. May our manager call you at {{phone_number}} and put it right?",
         "you have been heard: {{manager_name}} has read your message and will write to you by {{answer_date}}.",
         NULL,
     }},
    {"privacy",
     CORES{
         {N, "you share my data with [advertisers|strangers], I get calls every day since I ordered from you."},
         {N, "your shop sent [my address|my order|somebody else's invoice] to [another customer|a stranger]!"},
         {O, "I object to how my data was handled with order {order}."},
         {0, NULL},
     },
     LIST{
         "we take this seriously: our data protection officer has your message and answers by {{answer_date}}.",
         NULL,
     }},
    {NULL, NULL, NULL},
};

const as_synth_intent as_synth_complaint = {"complaint", {84, 11, 5}, topics};
